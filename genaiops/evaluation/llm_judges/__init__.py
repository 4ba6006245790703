"""Judging by a language model: one call per case for groundedness, relevance, completeness and utilization."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError

if TYPE_CHECKING:
    from genaiops.evaluation.llm_judges.group import GroupJudge
    from genaiops.evaluation.records import Measure
    from genaiops.evaluation.tools import Tools
    from genaiops.generation.openai_compatible import Patience

PARTS = ("groundedness", "relevance", "completeness", "utilization")
_SHARED = "llm"  # where measures of one evaluation find their judge


def llm_measure(name: str, tools: Tools) -> Measure:
    """The measure `llm:<name>`. Measures made with the same Tools share one judge, its calls and its budget.

    Raises ConfigurationError for an unknown name, without a configured judge, and when the judge is the model under
    test: nothing overrides that.
    """
    from genaiops.evaluation.llm_judges.measures import LlmCompleteness, LlmGroundedness, LlmMeasure

    if name not in PARTS:
        close = difflib.get_close_matches(name, PARTS, n=1)
        hint = f"; did you mean 'llm:{close[0]}'?" if close else ""
        known = ", ".join(f"llm:{part}" for part in PARTS)
        raise ConfigurationError(f"unknown measure 'llm:{name}'{hint}", remedy=f"known measures: {known}")
    judge = llm_judge_of(tools)
    kinds = {"groundedness": LlmGroundedness, "completeness": LlmCompleteness}
    return kinds.get(name, LlmMeasure)(name, judge)  # type: ignore[arg-type]


def llm_judge_of(tools: Tools, *, patience: Patience | None = None) -> GroupJudge:
    """The judge that all `llm:` measures made with these Tools share; made when it is first asked for.

    `patience` says how long to bear with the endpoint; it counts only before the judge is made.
    """
    from genaiops.evaluation.llm_judges.choosing import judging_model
    from genaiops.evaluation.llm_judges.group import GroupJudge

    if _SHARED not in tools.shared:
        name, card = judging_model(tools)
        given = {} if patience is None else {"patience": patience}
        tools.shared[_SHARED] = GroupJudge(
            name, card, tools.judge, cache_file=tools.cache_file, fresh=tools.fresh, **given
        )
    judge: GroupJudge = tools.shared[_SHARED]
    return judge
