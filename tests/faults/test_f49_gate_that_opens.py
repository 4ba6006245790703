"""Some forty ways in which a gate could open by mistake. Each ends inconclusive (exit code 3), nothing is released."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.scale import Scale
from genaiops.promotion import GateSettings, NotProven, bundle, judge_run
from genaiops.records import NotApplicable, Score, Summary, Unscored
from tests.promotion.builders import SERVED, Value, bits, case, gate_of, run_of

FLOOR = gate_of({"measure": "groundedness", "at_least": 0.5})
CEILING = gate_of({"measure": "groundedness", "at_most": 1.0})
COMPARED = gate_of({"measure": "groundedness", "not_worse_than": "champion", "margin": 0.05})
GOOD: list[Value] = bits(110, 0)
FAILED = Unscored("the judge answered garbage")
NONE = NotApplicable("refused")

Situation = tuple[GateSettings, Run, Run | None]


def good(column: list[Value] | None = None) -> Run:
    return run_of({"groundedness": column or GOOD})


def without(run: Run, *, scales: bool = False) -> Run:
    """The measure silently gone from the cases, or its scale from the record."""
    if scales:
        return replace(run, scales={})
    return replace(run, results=tuple(replace(result, outcomes={}) for result in run.results))


def changed_case(run: Run, change: Callable[[CaseResult], CaseResult], *, count: int = 1) -> Run:
    changed = tuple(change(result) for result in run.results[:count])
    return replace(run, results=changed + run.results[count:])


def scored(value: float, measure: str = "groundedness") -> Callable[[CaseResult], CaseResult]:
    return lambda result: replace(result, outcomes={measure: Score(value)})


def summary(run: Run, **changes: object) -> Run:
    return replace(run, summaries=(replace(run.summaries[0], **changes),))  # type: ignore[arg-type]


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "no case at all": lambda: (FLOOR, run_of({}), None),
    "no case at all, with a proud summary": lambda: (
        FLOOR,
        run_of({}, summaries=(Summary("groundedness", 1.0, 1.0, 1.0, 110, 0),)),
        None,
    ),
    "another measure was measured": lambda: (FLOOR, run_of({"recall@5": GOOD}), None),
    "the measure's name in other letters": lambda: (FLOOR, run_of({"Groundedness": GOOD}), None),
    "every judgement failed": lambda: (FLOOR, good([FAILED] * 110), None),
    "half of the judgements failed": lambda: (FLOOR, good([*[1.0] * 55, *[FAILED] * 55]), None),
    "one judgement failed": lambda: (FLOOR, good([*[1.0] * 109, FAILED]), None),
    "the measure applies to no case": lambda: (FLOOR, good([NONE] * 110), None),
    "everything skipped or failed": lambda: (FLOOR, good([*[NONE] * 100, *[FAILED] * 10]), None),
    "every question met an outage": lambda: (
        FLOOR,
        run_of({"groundedness": GOOD}, errors={case(n).id: "connection refused" for n in range(110)}),
        None,
    ),
    "the text of one outage was graded": lambda: (
        FLOOR,
        run_of({"groundedness": GOOD}, errors={case(3).id: "connection refused"}),
        None,
    ),
    "the measure is missing in one case": lambda: (
        FLOOR,
        changed_case(good(), lambda result: replace(result, outcomes={})),
        None,
    ),
    "the measure is missing in every case": lambda: (FLOOR, without(good()), None),
    "the scale of the measure is missing": lambda: (FLOOR, without(good(), scales=True), None),
    "a value is not a number": lambda: (FLOOR, changed_case(good(), scored(math.nan)), None),
    "every value is not a number": lambda: (FLOOR, changed_case(good(), scored(math.nan), count=110), None),
    "a value is infinite": lambda: (FLOOR, changed_case(good(), scored(math.inf)), None),
    "a value is minus infinite under a ceiling": lambda: (CEILING, changed_case(good(), scored(-math.inf)), None),
    "a value lies above the scale": lambda: (FLOOR, changed_case(good(), scored(7.0)), None),
    "a value lies below the scale under a ceiling": lambda: (CEILING, changed_case(good(), scored(-7.0)), None),
    "values too large to add": lambda: (
        gate_of({"measure": "latency_s", "at_least": 1.0}),
        changed_case(run_of({"latency_s": GOOD}), scored(1e308, "latency_s"), count=110),
        None,
    ),
    "values too large to add, and no summary": lambda: (
        gate_of({"measure": "latency_s", "at_least": 1.0}),
        changed_case(run_of({"latency_s": GOOD}, summaries=()), scored(1e308, "latency_s"), count=110),
        None,
    ),
    "the summary is better than the cases": lambda: (FLOOR, summary(good(bits(60, 50)), mean=1.0), None),
    "the summary counts more cases than there are": lambda: (FLOOR, summary(good(), scored=500), None),
    "the summary of a measure that no case has": lambda: (
        FLOOR,
        replace(good(), summaries=(Summary("recall@5", 1.0, 1.0, 1.0, 110, 0),)),
        None,
    ),
    "one good case counted many times": lambda: (
        FLOOR,
        run_of({"groundedness": GOOD}, cases=[case(1)] * 110),
        None,
    ),
    "the cases are not those of the golden set": lambda: (FLOOR, replace(good(), golden_set_digest="0" * 64), None),
    "the hard cases were cut out of the run": lambda: (FLOOR, replace(good(), results=good().results[:100]), None),
    "the text of a case was changed in the run": lambda: (
        FLOOR,
        changed_case(good(), lambda result: replace(result, case=replace(result.case, question="1 + 1?"))),
        None,
    ),
    "two perfect cases": lambda: (FLOOR, good(bits(2, 0)), None),
    "the champion's measure had no judge": lambda: (
        COMPARED,
        run_of({"groundedness": GOOD}, judges={"groundedness": "1" * 64}),
        good(),
    ),
    "the champion's measure had another scale": lambda: (
        COMPARED,
        good(),
        replace(good(), scales={"groundedness": Scale(False)}),
    ),
    "the champion was never measured": lambda: (COMPARED, good(), run_of({"recall@5": GOOD})),
    "the champion's run is empty": lambda: (COMPARED, good(), run_of({})),
    "the champion's run was edited": lambda: (COMPARED, good(), summary(good(bits(60, 50)), mean=0.1)),
    "the champion's values are not numbers": lambda: (COMPARED, good(), changed_case(good(), scored(math.nan))),
    "the champion met an outage": lambda: (COMPARED, good(), good([*[1.0] * 10, *[FAILED] * 100])),
    "no case is shared with the champion": lambda: (
        COMPARED,
        run_of({"groundedness": GOOD}, cases=[case(n + 500) for n in range(110)]),
        good(),
    ),
    "every shared case was reworded": lambda: (
        COMPARED,
        run_of({"groundedness": GOOD}, cases=[case(n, text="easy?") for n in range(110)]),
        good(bits(60, 50)),
    ),
    "the champion's hard cases were deleted": lambda: (
        COMPARED,
        run_of({"groundedness": GOOD[:73]}, cases=[case(n) for n in range(37, 110)]),
        good(),
    ),
    "the candidate refuses everything": lambda: (COMPARED, good([NONE] * 110), good()),
    "the candidate refuses half": lambda: (COMPARED, good([*[NONE] * 55, *[1.0] * 55]), good()),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_f49_nothing_measured_or_not_measured_soundly_is_inconclusive(name: str) -> None:
    gate, run, champion = SITUATIONS[name]()
    decision = judge_run(gate, run, champion)
    assert decision.verdict == "inconclusive", decision.reasons
    assert decision.reasons
    assert all(reason.strip() for reason in decision.reasons)
    with pytest.raises(NotProven) as error:
        bundle(SERVED, run, gate, decision)
    assert error.value.exit_code == 3


def test_f49_there_are_at_least_thirty_places() -> None:
    assert len(SITUATIONS) >= 30


def test_f49_the_same_gates_do_open_for_a_sound_run() -> None:
    assert judge_run(FLOOR, good(), None).verdict == "pass"
    assert judge_run(CEILING, good(), None).verdict == "pass"
    assert judge_run(COMPARED, good(), good()).verdict == "pass"


def test_f49_a_pass_of_yesterday_does_not_release_what_is_there_today() -> None:
    yesterday = good()
    decision = judge_run(FLOOR, yesterday, None)
    today = replace(yesterday, id="20261122t090000z-00000000")
    with pytest.raises(NotProven):
        bundle(SERVED, today, FLOOR, decision)
    with pytest.raises(NotProven):
        bundle({**SERVED, "index": "b" * 64}, yesterday, FLOOR, decision)


def test_f55_a_golden_set_that_changed_after_the_run_blocks_the_gate() -> None:
    run = good()
    decision = judge_run(FLOOR, run, None, golden_set_digest="1" * 64)
    assert decision.verdict == "inconclusive"
    assert "has changed since this run" in decision.reasons[0]
    assert judge_run(FLOOR, run, None, golden_set_digest=run.golden_set_digest).verdict == "pass"
