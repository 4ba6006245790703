"""A gate that stops asking as soon as it knows, and errs no more often for having looked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genaiops.evaluation import Run, evaluate
from genaiops.evaluation.records import CaseResult
from genaiops.evaluation.scale import Scale
from genaiops.evaluation.statistics.sequential import Race
from genaiops.evaluation.stopping import batches
from genaiops.golden_sets import GoldenSet
from genaiops.promotion import Decision, GateSettings
from genaiops.promotion.sequential import SequentialGate
from genaiops.records import Case, Evidence, Query, Score, Unscored
from tests.promotion.builders import gate_of, run_of

SCALES = {"exact_match": Scale(True)}
FLOOR = gate_of({"measure": "exact_match", "at_least": 0.8})
NOT_WORSE = gate_of({"measure": "exact_match", "not_worse_than": "champion", "margin": 0.05})


def golden(size: int, *, each: int = 1) -> GoldenSet:
    """`size` cases, `each` of them about one document."""
    cases = [
        Case(f"c{n:03}", f"{n} + 1?", "answerable", str(n + 1), (Evidence(f"d{n // each}.md", f"quote {n}"),))
        for n in range(size)
    ]
    return GoldenSet("numbers", tuple(cases))


def gated(
    gate: GateSettings, cases: GoldenSet, wrong: set[int], champion: Run | None = None
) -> tuple[Run, Decision, list[int]]:
    """The run, its decision and the numbers that were asked, of an application wrong about some numbers."""
    asked: list[int] = []

    def ask(query: Query) -> str:
        number = int(query.text.split()[0])
        asked.append(number)
        return str(number + (2 if number in wrong else 1))

    following = SequentialGate(gate, cases.cases, champion, SCALES)
    run = evaluate(ask, cases, measures=["exact_match"], until=following.see)
    return run, following.decision(run, golden_set_digest=cases.digest), asked


def whole_run(cases: GoldenSet, wrong: set[int]) -> Run:
    def ask(query: Query) -> str:
        number = int(query.text.split()[0])
        return str(number + (2 if number in wrong else 1))

    return evaluate(ask, cases, measures=["exact_match"])


def test_a_good_run_passes_before_all_questions_were_asked() -> None:
    run, decision, asked = gated(FLOOR, golden(200), set())
    assert decision.verdict == "pass"
    assert len(asked) == len(run.results) < 80
    assert len(run.not_asked) == 200 - len(asked)
    assert "shown to hold after" in decision.rules[0].reason
    assert "97.5 % confidence at any time" in decision.rules[0].reason


def test_a_bad_run_fails_before_all_questions_were_asked() -> None:
    run, decision, _ = gated(FLOOR, golden(200), set(range(0, 200, 2)))
    assert decision.verdict == "fail"
    assert len(run.results) < 120
    assert decision.reasons[0].startswith("exact_match at_least 0.8: ")


@pytest.mark.parametrize("failure", [Unscored("the judge timed out"), Score(-7.0)])
def test_measurements_that_failed_never_fail_a_gate_which_the_whole_set_leaves_inconclusive(
    failure: Unscored | Score,
) -> None:
    """Every second number is wrong, and of these every second was not measured, or got a value there is not."""
    cases = golden(200)
    results = tuple(
        replace(result, outcomes={"exact_match": failure}) if n % 4 == 0 else result
        for n, result in enumerate(whole_run(cases, set(range(0, 200, 2))).results)
    )
    following = SequentialGate(FLOOR, cases.cases, None, SCALES)
    assert not any(following.see([result]) for result in results)
    assert following.verdict == "inconclusive"


def test_measurements_that_may_fail_do_not_keep_a_bad_run_from_failing_early() -> None:
    gate = FLOOR.model_copy(update={"coverage": 0.9})
    cases = golden(200)
    results = whole_run(cases, set(range(0, 200, 2))).results
    failed = replace(results[0], outcomes={"exact_match": Unscored("the judge timed out")})
    following = SequentialGate(gate, cases.cases, None, SCALES)
    seen = [following.see([result]) for result in (failed, *results[1:])]
    assert (following.verdict, seen.index(True) < 120) == ("fail", True)


def test_a_rule_that_was_not_covered_is_no_reason_of_a_fail_that_another_brought() -> None:
    gate = gate_of({"measure": "exact_match", "at_least": 0.8}, {"measure": "other", "at_least": 0.8})
    cases = golden(100)
    run = whole_run(cases, set(range(100)))
    broken = (Score(0.0), Unscored("out of quota"))
    results = tuple(
        replace(result, outcomes={**result.outcomes, "other": broken[n % 2]}) for n, result in enumerate(run.results)
    )
    following = SequentialGate(gate, cases.cases, None, {**SCALES, "other": Scale(True)})
    stopped = next(n for n, result in enumerate(results, start=1) if following.see([result]))
    left = {case.id: case.digest for case in cases.cases[stopped:]}
    other = replace(run.summaries[0], measure="other", mean=0.0, scored=(stopped + 1) // 2)
    told = (replace(run.summaries[0], scored=stopped), other)
    scales = {**run.scales, "other": Scale(True)}
    early = replace(run, results=results[:stopped], not_asked=left, scales=scales, summaries=told)
    decision = following.decision(early)
    assert (decision.verdict, [rule.verdict for rule in decision.rules]) == ("fail", ["fail", "inconclusive"])
    assert "other: coverage 0.5" in decision.rules[1].reason


def test_what_no_look_decides_is_judged_on_the_whole_set_with_the_error_that_is_left() -> None:
    run, decision, _ = gated(FLOOR, golden(100), set(range(0, 100, 6)))
    assert not run.not_asked
    assert decision.verdict == "inconclusive"
    assert "at 97.5 % confidence" in decision.reasons[0]


def test_a_comparison_stops_early_both_ways() -> None:
    cases = golden(300)
    champion = whole_run(cases, set(range(0, 300, 10)))
    same, decision, _ = gated(NOT_WORSE, cases, set(range(0, 300, 10)), champion)
    assert (decision.verdict, len(same.results) < 250) == ("pass", True)
    worse, decision, _ = gated(NOT_WORSE, cases, set(range(0, 300, 2)), champion)
    assert (decision.verdict, len(worse.results) < 100) == ("fail", True)


@pytest.mark.parametrize("wrong", [set(), set(range(200))])
@pytest.mark.parametrize("problem", ["another judge", "another scale", "half of its cases deleted", "damaged"])
def test_a_champion_that_cannot_be_compared_with_decides_nothing_early(problem: str, wrong: set[int]) -> None:
    cases = golden(200)
    champion = whole_run(golden(400) if "deleted" in problem else cases, set(range(0, 200, 2)))
    if problem == "another judge":
        champion = replace(champion, judges={"exact_match": "e" * 64})
    elif problem == "another scale":
        champion = replace(champion, scales={"exact_match": Scale(True, lower_is_better=True)})
    elif problem == "damaged":
        champion = replace(champion, golden_set_digest="f" * 64)
    run, decision, asked = gated(NOT_WORSE, cases, wrong, champion)
    assert (decision.verdict, len(asked), dict(run.not_asked)) == ("inconclusive", 200, {})


def test_a_run_judged_by_another_than_was_said_is_not_decided() -> None:
    cases = golden(300)
    champion = whole_run(cases, set(range(0, 300, 2)))
    following = SequentialGate(NOT_WORSE, cases.cases, champion, SCALES)
    better = whole_run(cases, set())
    assert following.see(better.results[:200])
    left = {case.id: case.digest for case in cases.cases[200:]}
    summary = replace(better.summaries[0], scored=200)
    early = replace(better, results=better.results[:200], not_asked=left, summaries=(summary,))
    assert following.decision(early).verdict == "pass"
    other = following.decision(replace(early, judges={"exact_match": "e" * 64}))
    assert (other.verdict, other.rules[0].verdict) == ("inconclusive", "inconclusive")
    assert "judged by eeeeeeeeeeee, but the champion by no judge" in other.reasons[0]


def test_without_a_champion_a_rule_waits_until_its_measure_applied_to_a_case() -> None:
    from genaiops.records import NotApplicable

    refused, answered = run_of({"exact_match": [NotApplicable("refused"), 1.0]}).results
    following = SequentialGate(NOT_WORSE, golden(9).cases, None, SCALES)
    assert (following.see([refused]), following.see([answered])) == (False, True)


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_what_was_refused_in_some_repeats_is_bet_on_at_its_worst_and_at_its_best(lower_is_better: bool) -> None:
    from genaiops.evaluation.repeating import combined
    from genaiops.promotion import judge_run
    from genaiops.records import NotApplicable

    scales = {"exact_match": Scale(True, lower_is_better=lower_is_better)}
    good = 0.0 if lower_is_better else 1.0
    champion = replace(run_of({"exact_match": [good] * 300}), scales=scales)
    scored = run_of({"exact_match": [good] * 300}).results
    refused = run_of({"exact_match": [NotApplicable("refused")] * 300}).results

    def decided(rounds: list[tuple[CaseResult, ...]]) -> tuple[bool, str]:
        results = combined(rounds, scales)
        following = SequentialGate(NOT_WORSE, [result.case for result in results], champion, scales)
        whole = replace(champion, results=results, repeats=len(rounds))
        return following.see(results), judge_run(NOT_WORSE, whole, champion).verdict

    assert decided([scored] * 4) == (True, "pass")
    assert decided([scored, refused, refused, refused]) == (False, "inconclusive")
    assert decided([scored] * 99 + [refused]) == (True, "pass")  # the margin has room for it
    assert decided([refused] * 2) == (False, "inconclusive")


def test_a_document_is_asked_whole_and_in_an_order_that_only_the_seed_decides() -> None:
    cases = golden(60, each=6).cases
    order = [[case.id for case in batch] for batch in batches(cases, seed=3, at_once=8)]
    assert order == [[case.id for case in batch] for batch in batches(cases[::-1], seed=3, at_once=8)]
    assert order != [[case.id for case in batch] for batch in batches(cases, seed=4, at_once=8)]
    assert sorted(case for batch in order for case in batch) == [case.id for case in cases]
    assert [len(batch) for batch in order] == [12] * 5


def test_a_run_that_stopped_early_is_read_back_and_only_the_gate_that_stopped_it_judges_it(tmp_path: object) -> None:
    from pathlib import Path

    from genaiops.promotion import judge_run
    from genaiops.promotion.evidence import run_problems

    assert isinstance(tmp_path, Path)
    cases = golden(200)
    run, _, _ = gated(FLOOR, cases, set())
    again = Run.load(run.save(tmp_path))
    assert again == run
    assert run_problems(again, cases.digest) == ()
    other = judge_run(FLOOR, again, None, golden_set_digest=cases.digest)
    assert (other.verdict, other.rules) == ("inconclusive", ())
    assert "40 of 200 cases were asked; only the gate that stopped this run" in other.reasons[0]


def test_a_release_takes_no_verdict_on_a_part_of_the_set() -> None:
    from genaiops.promotion import NotProven, bundle

    run, decision, _ = gated(FLOOR, golden(200), set())
    with pytest.raises(NotProven, match="left out 160 cases that its verdict did not need"):
        bundle({"flow": "numbers"}, run, FLOOR, decision)


@pytest.mark.parametrize("each", [1, 5])
def test_looking_after_every_document_errs_no_more_often_than_promised(each: int) -> None:
    # The mean is exactly at the threshold, so that neither side may be shown: 400 runs of 200 cases.
    random = np.random.default_rng(each)
    wrong = 0
    for _ in range(400):
        race = Race.of(0.8, low=0.0, high=1.0, largest=each)
        shares = random.beta(8, 2, 200 // each) if each > 1 else np.full(200, 0.8)
        for share in shares:
            race.see((random.random(each) < share).astype(float).tolist())
            if race.above.shown(0.05) or race.below.shown(0.05):
                wrong += 1
                break
    assert wrong / 400 <= 0.10 + 0.03  # 5 % for each side, and two standard errors


def test_a_z_test_at_every_look_would_err_far_more_often() -> None:
    """What the bets are for: peeking with an interval made for one look (see the test above)."""
    random = np.random.default_rng(0)
    values = random.random((400, 200)) < 0.8
    n = np.arange(1, 201)
    mean = values.cumsum(axis=1) / n
    apart = np.abs(mean - 0.8) / np.sqrt(0.16 / n)
    assert (apart[:, 19:] > 1.96).any(axis=1).mean() > 0.2
