"""What the tests of judging models share: a judge on loopback and measures that ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.llm_judges.measures import LlmMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import JudgeSettings, ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard
from genaiops.testing import ScriptedModelServer

CONTEXTS = (
    "A kettle is descaled with vinegar. It is rinsed twice afterwards.",
    "Returns are possible within 30 days of delivery. Opened goods are excluded.",
)
QUESTION = "How are kettles cared for?"
ANSWER = "A kettle is descaled with vinegar [1]. It is rinsed three times."
PARTS = ("groundedness", "relevance", "completeness", "utilization")


def sample(number: int = 0, answer: str = ANSWER, **changes: Any) -> Sample:
    fields: dict[str, Any] = {
        "question": f"{QUESTION} ({number})",
        "contexts": CONTEXTS,
        "reference": "With vinegar, then rinsed twice.",
        **changes,
    }
    return Sample(f"c{number}", answer=answer, **fields)


def tools(server: ScriptedModelServer, cache: Path | None = None, *, card: Any = None, **judge: Any) -> Tools:
    """Tools with the server as the model `judge`."""
    model = ModelCard(**{"base_url": server.base_url, "timeout_s": 30.0, **(card or {})})
    settings = JudgeSettings(**{"model": "judge", **judge})
    return Tools(models=ModelCatalog(models={"judge": model}), cache_file=cache, judge=settings)


def measures(given: Tools) -> dict[str, LlmMeasure]:
    """Part → measure; all of them share one judge."""
    made = {part: llm_measure(part, given) for part in PARTS}
    assert all(isinstance(measure, LlmMeasure) for measure in made.values())
    return made  # type: ignore[return-value]


def claim(sentence: int, verdict: str, quote: str = "", context: int = 0) -> dict[str, Any]:
    return {"sentence": sentence, "verdict": verdict, "quote": quote, "context": context}
