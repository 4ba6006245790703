"""Every kind of rule passes, fails and admits doubt where it should."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from genaiops.evaluation.records import Run
from genaiops.evaluation.scale import Scale
from genaiops.promotion import Decision, judge_run
from genaiops.records import NotApplicable, Score, Unscored
from tests.promotion.builders import Value, bits, case, gate_of, run_of

NOT_WORSE = gate_of({"measure": "recall@5", "not_worse_than": "champion", "margin": 0.02})
REFUSED = NotApplicable("the answer is a refusal")


def judge(measure: str, column: list[Value], **rule: float) -> Decision:
    return judge_run(gate_of({"measure": measure, **rule}), run_of({measure: column}), None)


@pytest.mark.parametrize(
    ("measure", "column", "rule", "verdict"),
    [
        ("recall@5", bits(95, 5), {"at_least": 0.9}, "pass"),
        ("recall@5", bits(91, 9), {"at_least": 0.9}, "inconclusive"),
        ("recall@5", bits(89, 11), {"at_least": 0.9}, "inconclusive"),
        ("recall@5", bits(80, 20), {"at_least": 0.9}, "fail"),
        ("groundedness", [0.9, 0.8, 0.95] * 30, {"at_least": 0.8}, "pass"),
        ("groundedness", [0.9, 0.8, 0.75] * 30, {"at_least": 0.8}, "inconclusive"),
        ("groundedness", [0.5, 0.4, 0.6] * 30, {"at_least": 0.8}, "fail"),
        ("groundedness", [0.0, 0.1, 0.0] * 30, {"at_most": 0.2}, "pass"),
        ("groundedness", [0.5, 0.4, 0.6] * 30, {"at_most": 0.2}, "fail"),
        ("latency_s", [1.0, 1.2, 0.9] * 20, {"at_most": 1.5}, "pass"),
        ("latency_s", [1.0, 1.2, 0.9] * 20, {"at_most": 1.04}, "inconclusive"),
        ("latency_s", [1.0, 1.2, 0.9] * 20, {"at_most": 0.8}, "fail"),
        ("latency_p95_s", [1.0, 1.2, 0.9] * 40, {"at_most": 2.0}, "pass"),
        ("latency_p95_s", [1.0, 1.2, 0.9] * 10, {"at_most": 2.0}, "inconclusive"),
        ("latency_p95_s", [1.0, 1.2, 3.0] * 40, {"at_most": 2.0}, "fail"),
    ],
)
def test_a_bound_decides_by_the_end_of_the_interval(
    measure: str, column: list[Value], rule: dict[str, float], verdict: str
) -> None:
    decision = judge(measure, column, **rule)
    assert decision.verdict == verdict
    assert [result.verdict for result in decision.rules] == [verdict]
    assert bool(decision.reasons) == (verdict != "pass")


def test_an_inconclusive_floor_says_how_many_more_cases_would_tell() -> None:
    decision = judge("recall@5", bits(92, 8), at_least=0.9)
    needed = decision.rules[0].cases_needed
    assert needed is not None
    assert decision.reasons == (
        "recall@5: 0.920, at least 0.864 at 95 % confidence, floor 0.9 not shown (100 cases); "
        f"needs about {needed} more cases",
    )
    hits = math.ceil(0.92 * (100 + needed))
    assert judge("recall@5", bits(hits, 100 + needed - hits), at_least=0.9).verdict == "pass"
    hits = math.floor(0.92 * (90 + needed))
    assert judge("recall@5", bits(hits, 90 + needed - hits), at_least=0.9).verdict == "inconclusive"


def test_an_estimate_on_the_wrong_side_is_not_told_to_collect_more_cases() -> None:
    assert "would not make it pass" in judge("recall@5", bits(89, 11), at_least=0.9).reasons[0]


def test_a_failed_floor_names_the_value_the_bound_and_the_floor() -> None:
    assert judge("recall@5", bits(80, 20), at_least=0.9).reasons == (
        "recall@5: 0.800, at most 0.857 at 95 % confidence, below the floor 0.9 (100 cases)",
    )


def test_every_reason_is_given_at_once_failures_first() -> None:
    gate = gate_of(
        {"measure": "mrr@5", "at_least": 0.5},
        {"measure": "groundedness", "at_least": 0.8},
        {"measure": "recall@5", "at_least": 0.9},
        {"measure": "relevance", "at_least": 0.5},
        {"measure": "relevance", "not_worse_than": "champion", "margin": 0.02},
    )
    half: list[Value] = [*[1.0] * 50, *[Unscored("the judge answered garbage")] * 50]
    run = run_of({"groundedness": half, "recall@5": bits(50, 50), "relevance": bits(100, 0)})
    decision = judge_run(gate, run, None)
    assert decision.verdict == "fail"
    assert [reason.split(",")[0] for reason in decision.reasons] == [
        "recall@5: 0.500",
        "mrr@5: not measured",
        "groundedness: coverage 0.50 < 1.00 (first: q050: the judge answered garbage)",
        "relevance not_worse_than champion margin 0.02: skipped: nothing in prod yet",
    ]
    assert [result.verdict for result in decision.rules] == ["inconclusive", "inconclusive", "fail", "pass", "pass"]


def test_coverage_that_rounds_to_the_demanded_one_is_printed_with_more_digits() -> None:
    column: list[Value] = [*[1.0] * 999, Unscored("lost")]
    assert "coverage 0.999 < 1.000" in judge("groundedness", column, at_least=0.5).reasons[0]


def test_without_a_champion_the_comparison_is_skipped_and_says_so() -> None:
    decision = judge_run(NOT_WORSE, run_of({"recall@5": bits(5, 5)}), None, against="test")
    assert decision.verdict == "pass"
    assert decision.reasons == ("recall@5 not_worse_than champion margin 0.02: skipped: nothing in test yet",)
    assert decision.rules[0].skipped


# --- against the champion -------------------------------------------------------


def test_an_identical_candidate_passes_on_110_cases() -> None:
    run = run_of({"recall@5": bits(90, 20)})
    assert judge_run(NOT_WORSE, run, run).verdict == "pass"


def test_an_identical_candidate_on_too_few_cases_is_inconclusive() -> None:
    run = run_of({"recall@5": bits(15, 5)})
    decision = judge_run(NOT_WORSE, run, run)
    assert decision.verdict == "inconclusive"
    assert decision.rules[0].cases_needed is not None
    assert 40 < decision.rules[0].cases_needed < 90


def test_deleting_a_third_of_the_champions_cases_is_inconclusive_with_a_remedy() -> None:
    champion = run_of({"recall@5": bits(90, 20)})
    run = run_of({"recall@5": bits(73, 0)}, cases=[case(number) for number in range(37, 110)])
    decision = judge_run(NOT_WORSE, run, champion, against="prod")
    assert decision.verdict == "inconclusive"
    assert decision.reasons == (
        "recall@5: 37 of the champion's 110 cases are not in this run, deleted or changed (q000, q001, q002, …): "
        "comparable 0.66 < 1.00; genaiops evaluate FLOW --release prod measures the champion on this golden set",
    )


def test_a_case_whose_text_changed_is_no_pair() -> None:
    champion = run_of({"recall@5": bits(90, 20)})
    cases = [case(number, text="an easier question?" if number == 0 else "") for number in range(110)]
    decision = judge_run(NOT_WORSE, run_of({"recall@5": bits(110, 0)}, cases=cases), champion)
    assert decision.verdict == "inconclusive"
    assert "1 of the champion's 110 cases are not in this run, deleted or changed (q000)" in decision.reasons[0]


def test_new_cases_do_not_stand_in_the_way() -> None:
    champion = run_of({"recall@5": bits(110, 0)})
    run = run_of({"recall@5": [*bits(110, 0), *[0.0] * 40]})
    decision = judge_run(NOT_WORSE, run, champion)
    assert decision.verdict == "pass"
    assert decision.rules[0].n == 110


def test_a_planted_drop_fails_and_names_the_measure_the_drop_and_the_worst_cases() -> None:
    gate = gate_of(
        {"measure": "recall@5", "not_worse_than": "champion", "margin": 0.02},
        {"measure": "groundedness", "not_worse_than": "champion", "margin": 0.02},
        {"measure": "relevance", "not_worse_than": "champion", "margin": 0.02},
    )
    same: list[Value] = [0.7] * 110
    champion = run_of({"recall@5": bits(110, 0), "groundedness": [0.9] * 110, "relevance": same})
    worse: list[Value] = [0.2, 0.1, 0.3, *[0.7] * 107]
    run = run_of({"recall@5": bits(90, 20), "groundedness": worse, "relevance": same})
    decision = judge_run(gate, run, champion)
    assert decision.verdict == "fail"
    assert [result.verdict for result in decision.rules] == ["fail", "fail", "pass"]
    recall, groundedness = decision.reasons
    assert recall.startswith("recall@5: 0.182 worse than the champion (0.2")
    assert recall.endswith("fell most: q000 (1.000 → 0.000), q001 (1.000 → 0.000), q002 (1.000 → 0.000)")
    assert groundedness.endswith("fell most: q001 (0.900 → 0.100), q000 (0.900 → 0.200), q002 (0.900 → 0.300)")


@pytest.mark.parametrize("measure", ["latency_s", "input_tokens", "cost_usd"])
def test_for_seconds_tokens_and_dollars_lower_is_better(measure: str) -> None:
    gate = gate_of({"measure": measure, "not_worse_than": "champion", "margin": 0.1})
    slow, fast = ([value + shift for value in [1.0, 1.1, 1.2] * 20] for shift in (1.0, 0.0))
    less, more = run_of({measure: list(fast)}), run_of({measure: list(slow)})
    assert judge_run(gate, less, more).verdict == "pass"
    failed = judge_run(gate, more, less)
    assert failed.verdict == "fail"
    assert f"{measure}: 1.000 worse than the champion" in failed.reasons[0]


def test_a_p95_is_compared_as_a_p95() -> None:
    gate = gate_of({"measure": "latency_p95_s", "not_worse_than": "champion", "margin": 0.5})
    steady = run_of({"latency_p95_s": [1.0] * 200})
    spiky = run_of({"latency_p95_s": [*[0.8] * 170, *[4.0] * 30]})  # the better mean, the worse tail
    assert judge_run(gate, steady, spiky).verdict == "pass"
    assert judge_run(gate, spiky, steady).verdict == "fail"
    assert judge_run(gate, run_of({"latency_p95_s": [1.0] * 20}), steady).verdict == "inconclusive"


def test_a_champion_measured_by_another_judge_is_inconclusive_and_names_both() -> None:
    column = {"recall@5": bits(110, 0)}
    decision = judge_run(NOT_WORSE, run_of(column, judges={"recall@5": "1" * 64}), run_of(column))
    assert decision.verdict == "inconclusive"
    assert "judged by 111111111111, but the champion by no judge" in decision.reasons[0]


def test_a_champion_without_the_measure_is_inconclusive() -> None:
    decision = judge_run(NOT_WORSE, run_of({"recall@5": bits(110, 0)}), run_of({"relevance": bits(110, 0)}))
    assert decision.verdict == "inconclusive"
    assert "not measured for the champion" in decision.reasons[0]


def test_a_champion_whose_own_measurements_failed_is_inconclusive() -> None:
    lost: list[Value] = [*[1.0] * 100, *[Unscored("outage")] * 10]
    decision = judge_run(NOT_WORSE, run_of({"recall@5": bits(110, 0)}), run_of({"recall@5": lost}))
    assert decision.verdict == "inconclusive"
    assert "the champion's coverage 0.91 < 1.00" in decision.reasons[0]


# --- refusing is no way out -------------------------------------------------------

GROUNDED = gate_of({"measure": "groundedness", "not_worse_than": "champion", "margin": 0.02})


def with_refusals(count: int, *, of: int = 110, value: float = 1.0) -> Run:
    return run_of({"groundedness": [*[REFUSED] * count, *[value] * (of - count)]})


def test_a_candidate_that_refuses_everything_is_not_waved_through() -> None:
    decision = judge_run(GROUNDED, with_refusals(110), with_refusals(0))
    assert decision.verdict == "inconclusive"


def test_refusing_the_hard_questions_is_inconclusive_and_lists_them() -> None:
    champion = run_of({"groundedness": [*[0.2] * 30, *[1.0] * 80]})
    decision = judge_run(GROUNDED, with_refusals(30), champion)
    assert decision.verdict == "inconclusive"
    assert (
        "30 that want an answer and that the champion answered were not answered: q000, q001, q002, …"
        in (decision.reasons[0])
    )


def test_a_single_refusal_among_many_better_answers_still_passes() -> None:
    decision = judge_run(GROUNDED, with_refusals(1, value=0.99), run_of({"groundedness": [0.9] * 110}))
    assert decision.verdict == "pass"
    assert "1 that want an answer and that the champion answered were not answered: q000" in decision.rules[0].reason


def test_a_drop_too_large_for_any_value_of_the_refused_to_repair_fails() -> None:
    decision = judge_run(GROUNDED, with_refusals(5, value=0.5), run_of({"groundedness": [0.9] * 110}))
    assert decision.verdict == "fail"


def test_refusing_what_wants_a_refusal_costs_nothing() -> None:
    cases = [case(number, kind="unanswerable" if number < 30 else "answerable") for number in range(150)]
    champion = run_of({"groundedness": [*[0.3] * 30, *[1.0] * 120]}, cases=cases)
    run = run_of({"groundedness": [*[REFUSED] * 30, *[1.0] * 120]}, cases=cases)
    decision = judge_run(GROUNDED, run, champion)
    assert decision.verdict == "pass"
    assert decision.rules[0].n == 120


def test_refusing_where_no_worst_value_exists_is_inconclusive() -> None:
    gate = gate_of({"measure": "cost_usd", "not_worse_than": "champion", "margin": 0.02})
    champion = run_of({"cost_usd": [0.01] * 110})
    run = run_of({"cost_usd": [*[REFUSED] * 10, *[0.01] * 100]})
    decision = judge_run(gate, run, champion)
    assert decision.verdict == "inconclusive"
    assert "100 of 110 pairs were measured" in decision.reasons[0]


@pytest.mark.parametrize("counts", [(("no json", 1.0),), (("[1, 2, 3]", 1.0),), (("7", 1.0),)])
def test_counts_that_cannot_be_read_are_no_evidence_for_either_side(counts: tuple[tuple[str, float], ...]) -> None:
    scales = {"f1_macro": Scale(True, "f1_macro")}
    sound = replace(run_of({"f1_macro": [Score(1.0, parts=(('["r", "r"]', 1.0),))] * 50}), scales=scales, summaries=())
    broken = replace(
        sound, results=tuple(replace(r, outcomes={"f1_macro": Score(1.0, parts=counts)}) for r in sound.results)
    )
    gate = gate_of({"measure": "f1_macro", "not_worse_than": "champion", "margin": 0.5})
    assert judge_run(gate, sound, sound).verdict == "pass"
    for decision in (judge_run(gate, broken, sound), judge_run(gate, sound, broken)):
        assert decision.verdict == "inconclusive"
        assert "f1_macro: its counts cannot be summed up" in decision.reasons[0]
