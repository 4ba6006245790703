"""The project in which the pages' examples run: some of the pages, their golden cases, and a short history.

Two indexes (the first without lineage.md), two runs of two prompts, two releases that went from dev to prod, and the
flow that `genaiops new support` writes, built. It is made once; each page gets a copy.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaiops.delivery import evaluate_flow, release_flow
from genaiops.delivery.scaffold import scaffold
from genaiops.embedding.protocol import Progress, Vectors, silent
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet
from genaiops.project import Project
from genaiops.promotion import Registry
from genaiops.records import as_json
from genaiops.testing import Reply, scripted_verdict

REPOSITORY = Path(__file__).parents[1]
CORPUS = {  # characters
    "concepts.md": 7000, "cost.md": 3500, "gates.md": 7000, "index.md": 4500, "lineage.md": 4000, "retrieval.md": 2500,
}  # fmt: skip
EVERY = 7  # of the cases without evidence one in so many is kept
# Environment for all that is done here: measuring which precision is faster, and making a fast session, would take
# longer than all the rest.
ENVIRONMENT = {"GENAIOPS_EMBEDDING__PRECISION": "fp32", "GENAIOPS_EMBEDDING__FAST_START": "false"}
VISITORS = "# Visitors\n\nMargarethe Oduya visits the records room every second Tuesday and signs the grey book.\n"
GATE = """\
rules:
  - {measure: recall@6, at_least: 0.3}
  - {measure: groundedness, at_least: 0.5}
  - {measure: completeness, not_worse_than: champion, margin: 0.25}
"""
ROW = {"question": "Who pays for the parcel?", "answer": "The customer pays for the parcel [1].",
       "contexts": ["From abroad the customer pays for the parcel."], "reference": "The customer."}  # fmt: skip
QUERIES = [{"query_id": "q1", "text": "When is a gate inconclusive?"}, {"query_id": "q2", "text": "What is top_k?"}]
AZURE = [
    {"query": "What is an inconclusive verdict?", "ground_truth": "One that shows neither.",
     "context": "Inconclusive is an honest answer and not an error."},
    {"query": "Who is the champion?", "ground_truth": "The release that holds the environment."},
]  # fmt: skip
DRAFT = {
    "question": "How dear is one run over the whole set?", "answer": "One answer for every case.",
    "quote": "An evaluation asks every question of the golden set once, so 200 cases cost 200 answers.",
}  # fmt: skip


class Remembering:
    """The embedder behind, which computes no vector twice: the pages ask for the same ones again and again."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        import numpy as np

        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known |= dict(zip(missing, self._behind.embed(missing), strict=True))
        progress(len(texts), len(texts))
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(len(texts), -1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the project lies, and the ids that stand in place of those in the pages."""

    root: Path
    older: str  # index
    run: str
    release: str  # went through all environments and was replaced in each
    chunk: str


def prepare(root: Path, model_url: str) -> Prepared:
    """Make the project below `root`; the models of its models.yaml answer at `model_url`."""
    flow = _written(root, model_url)
    later = root / "docs" / "lineage.md"
    later.rename(root / "later.md")
    flow.build()
    older = flow.index_id
    (root / "later.md").rename(later)
    flow = load(root, "handbook")
    flow.build()
    (root / "answer.json").write_text(json.dumps(as_json(flow.ask("When is a gate inconclusive?"))))
    registry = Registry.of(flow.project)
    releases = []
    for _ in range(2):
        release, gated = release_flow(flow)
        releases.append(release)
        for environment in flow.project.settings.environments:
            registry.promote(release, to=environment)
    load(root, "support").build()
    evaluate_flow(load(root, "handbook", "prompt=brief"))
    return Prepared(root, older, gated.evaluated.run.id, releases[0].digest, next(iter(flow.chunks())).id)


def load(root: Path, name: str, *overrides: str) -> Flow:
    folder = root / "flows" / name
    return Flow.load(folder, overrides=overrides, project=Project.find(folder))


def _written(root: Path, model_url: str) -> Flow:
    (root / "docs" / "people").mkdir(parents=True)
    for name, text in _texts().items():
        (root / "docs" / name).write_text(text)
    (root / "docs" / "people" / "visitors.md").write_text(VISITORS)
    shutil.copytree(REPOSITORY / "flows" / "handbook", root / "flows" / "handbook")
    settings = root / "flows" / "handbook" / "flow.yaml"
    settings.write_text(settings.read_text().replace('["*.md"]', '["**/*.md"]'))
    (root / "flows" / "handbook" / "gate.yaml").write_text(GATE)
    (root / "genaiops.yaml").write_text("environments: [dev, test, prod]\ntracking: none\n")
    scaffold("support", root)
    _copy("eval_datasets/handbook/CARD.md", root)
    (root / "eval_datasets" / "handbook" / "golden.jsonl").write_text(_cases())
    price = {"input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    card = {"base_url": model_url, "model": "scripted", **price}
    models = dict.fromkeys(("careful", "gpt-4o-mini", "house-small"), card)
    (root / "models.yaml").write_text(json.dumps({"models": models}))
    _write_files(root)
    return load(root, "handbook")


def _texts() -> dict[str, str]:
    """The beginning of some pages, in whole sections: enough for answers, and quickly embedded."""
    found = {}
    for name, most in CORPUS.items():
        text = (REPOSITORY / "docs" / name).read_text()
        found[name] = text if len(text) <= most else text[: text.rindex("\n## ", 0, most)]
    return found


def _cases() -> str:
    """The bundled golden set, as far as the texts hold its evidence, and a few of the other cases."""
    texts = _texts()
    folder = REPOSITORY / "eval_datasets" / "handbook"
    lines = (folder / "golden.jsonl").read_text().splitlines(keepends=True)
    kept = []
    without = 0
    for case, line in zip(GoldenSet.load(folder).cases, lines, strict=True):
        held = all(item.quote in texts.get(item.document, "") for item in case.evidence)
        without += not case.evidence
        if held and (case.evidence or without % EVERY == 0):
            kept.append(line)
    return "".join(kept)


def _write_files(root: Path) -> None:
    """The files that the pages take as given."""
    answers = [{**ROW, "id": number} for number in (1, 2)]
    files: dict[str, list[dict[str, Any]]] = {
        "rows.jsonl": answers,
        "answers.jsonl": answers[:1],
        "questions.jsonl": [{"question": row["text"]} for row in QUERIES],
        "queries.jsonl": QUERIES,
        "qa.jsonl": AZURE,
        "dontknow.jsonl": [{"query": "Who composed the opera Tosca?"}],
    }
    for name, rows in files.items():
        (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def labelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As if somebody had labelled the sheet: every third answer is bad."""
    return [{**row, "label": number % 3 > 0} for number, row in enumerate(rows)]


def _copy(name: str, root: Path) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / name, root / name)


def scripted_reply(body: dict[str, Any]) -> str | Reply:
    """What the project's models say: a verdict or cases where they are asked for, else an answer.

    Whoever names no model is taken for a caller of an application, which tells its sources too.
    """
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    if "model" not in body:
        said = {"choices": [{"message": {"content": ROW["answer"]}}], "sources": [{"text": ROW["contexts"][0]}]}
        return Reply(body=json.dumps(said).encode())
    if "\ntoken: " in f"\n{asked}":
        return scripted_verdict(body)
    return json.dumps({"cases": [DRAFT]}) if '"cases"' in asked else "A release bundles the index and the prompt [1]."
