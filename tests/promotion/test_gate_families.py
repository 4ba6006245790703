"""A gate with many rules fails no more often than a gate with one, and passes no more easily."""

from __future__ import annotations

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation.statistics import holm
from genaiops.promotion import judge_run
from tests.promotion.builders import Value, bits, gate_of, run_of, scale

# 83 of 100 fails a floor of 0.89 at 95 % confidence, but not at the 99.38 % that one of eight rules needs.
UNLUCKY = {"measure": "recall@5", "at_least": 0.89}
OTHERS = ("mrr@5", "ndcg@5", "answered", "refusal", "precision@5")
FINE = [{"measure": name, "at_least": 0.5} for name in OTHERS]


def test_holm_steps_down_from_the_strongest() -> None:
    p_values = [0.04, 0.011, 0.02, 0.3]
    tests = [lambda error, p=p: p <= error for p in p_values]
    # 0.011 <= 0.05/4; then 0.02 > 0.05/3 and nothing more.
    assert holm(tests, 0.05) == [(False, 0.05 / 3), (True, 0.05 / 4), (False, 0.05 / 3), (False, 0.05 / 3)]
    assert [rejects for rejects, _ in holm(tests[:3], 0.06)] == [True, True, True]
    assert holm([], 0.05) == []


def columns(*, mean: int) -> dict[str, list[Value]]:
    return {"recall@5": bits(mean, 100 - mean), **{name: bits(95, 5) for name in OTHERS}}


def test_one_unlucky_rule_among_many_does_not_fail_the_gate_but_would_alone() -> None:
    run = run_of(columns(mean=83))
    alone = judge_run(gate_of(UNLUCKY), run, None)
    assert alone.verdict == "fail"
    decision = judge_run(gate_of(UNLUCKY, *FINE), run, None)
    assert decision.verdict == "inconclusive"
    assert "it would fail alone, but among these rules a fail takes 99.17 % confidence" in decision.reasons[0]
    assert judge_run(gate_of(UNLUCKY, *FINE, family="none"), run, None).verdict == "fail"


def test_a_rule_that_is_broken_beyond_doubt_fails_among_many_and_says_at_what_level() -> None:
    decision = judge_run(gate_of(UNLUCKY, *FINE), run_of(columns(mean=70)), None)
    assert decision.verdict == "fail"
    assert decision.reasons[0].startswith("recall@5: 0.700, at most 0.796 at 99.17 % confidence (95 % over the rules)")
    assert decision.rules[0].confidence == pytest.approx(1 - 0.05 / 6)


def test_sharing_never_makes_a_rule_pass_more_easily() -> None:
    for ones in range(80, 101, 2):
        run = run_of(columns(mean=ones))
        verdicts = [judge_run(gate_of(UNLUCKY, *FINE, family=how), run, None).rules for how in ("holm", "none")]
        assert [r.verdict == "pass" for r in verdicts[0]] == [r.verdict == "pass" for r in verdicts[1]]


def test_a_rule_without_data_takes_nothing_from_the_others() -> None:
    run = run_of({"recall@5": bits(83, 17)})
    gate = gate_of(UNLUCKY, *FINE)
    decision = judge_run(gate, run, None)
    assert decision.verdict == "fail"  # none of the five could be judged: the one that could has the whole error


def test_a_floor_above_one_of_a_users_own_measure_in_the_unit_interval_is_refused() -> None:
    gate = gate_of({"measure": "acme:tone", "at_least": 1.5})
    assert scale("acme:tone").unit_interval
    with pytest.raises(ConfigurationError, match=r"at_least must be in \[0, 1\] as acme:tone is, got 1.5"):
        judge_run(gate, run_of({"acme:tone": bits(9, 1)}), None)
