"""A gate that demands passports settles nothing by a judge whose passport is missing, stale, retired or too weak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation.passports import Passport, Shelf
from genaiops.evaluation.records import Run
from genaiops.promotion import Decision, GateSettings, judge_run, load_gate
from tests.passports.makers import WordJudge, labelled, rows
from tests.passports.makers import passport as passport_of
from tests.promotion.builders import bits, gate_of, run_of

JUDGE = WordJudge()
TODAY = datetime.now(UTC).date()
RULE = {"measure": "groundedness", "at_least": 0.8}


def passport(right: int = 90, wrong: int = 10, **options: Any) -> Passport:
    return passport_of(right, wrong, **{"made": TODAY, "expires": TODAY + timedelta(days=90), **options})


def gate(judges: Mapping[str, Any], *rules: Mapping[str, Any]) -> GateSettings:
    return gate_of(*(rules or [RULE]), judges=judges)


def run(**changes: Any) -> Run:
    fields = {"judges": {"groundedness": JUDGE.judge}, "passports": {"groundedness": passport()}, **changes}
    return run_of({"groundedness": bits(100, 0), "recall@5": bits(100, 0)}, **fields)


REQUIRED = {"passport": "required"}


def refused(decision: Decision, words: str) -> bool:
    (reason,) = decision.reasons
    return decision.verdict == "inconclusive" and words in reason and reason.startswith("groundedness: ")


def test_a_judge_whose_passport_holds_may_decide() -> None:
    assert judge_run(gate(REQUIRED), run(), None).verdict == "pass"


def test_without_a_demand_no_passport_is_needed() -> None:
    assert judge_run(gate_of(RULE), run(passports={}), None).verdict == "pass"
    assert judge_run(gate({"passport": "optional"}), run(passports={}), None).verdict == "pass"


@pytest.mark.parametrize(
    ("passports", "words"),
    [
        ({}, "records no passport of the judge; genaiops judge calibrate FILE --measure groundedness"),
        ({"groundedness": passport(judge=WordJudge(version=2))}, "its embedder is another; genaiops judge"),
        ({"groundedness": replace(passport(), expires_at="2026-01-01")}, "expired on 2026-01-01; genaiops judge"),
        ({"groundedness": replace(passport(), retired="errs on roles")}, "was retired: errs on roles"),
    ],
)  # fmt: skip
def test_a_judge_without_a_passport_that_holds_cannot_gate(passports: dict[str, Passport], words: str) -> None:
    assert refused(judge_run(gate(REQUIRED), run(passports=passports), None), words)


def test_it_blocks_a_failure_too_for_nothing_such_a_judge_says_counts() -> None:
    low = run_of({"groundedness": bits(0, 100)}, judges={"groundedness": JUDGE.judge})
    assert judge_run(gate_of(RULE), low, None).verdict == "fail"
    assert refused(judge_run(gate(REQUIRED), low, None), "no passport")


def test_a_retired_judge_cannot_gate_even_where_no_passport_is_demanded() -> None:
    given = run(passports={"groundedness": replace(passport(), retired="errs on roles")})
    assert refused(judge_run(gate_of(RULE), given, None), "was retired: errs on roles")


def test_what_was_said_since_the_run_counts(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "own", tmp_path / "shipped")
    assert refused(judge_run(gate(REQUIRED), run(), None, passports=shelf), "has no passport")
    shelf.keep(passport())
    assert judge_run(gate(REQUIRED), run(passports={}), None, passports=shelf).verdict == "pass"
    path = shelf.retire("groundedness", JUDGE.judge, "errs on roles")
    for demands in (REQUIRED, {}):
        assert refused(judge_run(gate(demands), run(), None, passports=shelf), "was retired")
    path.write_text(path.read_text().replace("errs on roles", ""))
    assert refused(judge_run(gate(REQUIRED), run(), None, passports=shelf), "changed after it was written")


@pytest.mark.parametrize("damage", [lambda content: content[:-20], lambda content: b"", lambda content: b"\xff"])
def test_a_damaged_passport_does_not_put_a_retired_judge_back_into_use(tmp_path: Path, damage: Any) -> None:
    shelf = Shelf(tmp_path / "own", tmp_path / "shipped")
    shelf.keep(passport())
    path = shelf.retire("groundedness", JUDGE.judge, "errs on roles")
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    for demands in (REQUIRED, {}):
        refusal = judge_run(gate(demands), run(), None, passports=shelf)
        assert refused(refusal, "restore the file, or delete it to put the judge into use again")
    with pytest.raises(ConfigurationError, match="may have said that the judge is retired"):
        shelf.keep(passport())
    assert path.read_bytes() == damaged


def test_rules_that_no_judge_decides_need_no_passport_and_every_reason_is_given() -> None:
    demanding = gate(REQUIRED, {"measure": "recall@5", "at_least": 0.9}, RULE)
    decision = judge_run(demanding, run(passports={}), None)
    assert [result.verdict for result in decision.rules] == ["pass", "inconclusive"]


def test_a_judged_measure_whose_run_names_no_judge_cannot_gate() -> None:
    assert refused(judge_run(gate(REQUIRED), run(judges={}), None), "does not say which judge decided it")


@pytest.mark.parametrize("name", ["auroc", "balanced_accuracy", "kappa"])
def test_a_floor_is_held_by_the_low_end_of_the_interval(name: str) -> None:
    (source,) = passport().sources
    figure = getattr(source, name)
    within = {**REQUIRED, name: round(figure.low - 0.01, 3)}
    between = {**REQUIRED, name: round(figure.low + 0.01, 3)}
    assert figure.value > between[name]
    assert judge_run(gate(within), run(), None).verdict == "pass"
    assert refused(judge_run(gate(between), run(), None), "is demanded and not shown")


def test_a_floor_is_met_on_the_rows_that_the_gate_asks_for_and_not_on_the_easy_ones() -> None:
    from genaiops.evaluation.passports import calibrate

    unscored = [labelled(n % 2, None, question=f"hard {n}") for n in range(20)]
    easy = calibrate(JUDGE, [*rows(90, 0), *unscored], made=TODAY, expires=TODAY + timedelta(days=9))
    given, floor = run(passports={"groundedness": easy}), {**REQUIRED, "balanced_accuracy": 0.8}
    assert refused(
        judge_run(gate(floor), given, None), "scored 180 of 200 labelled rows of own labels, coverage 0.9 < 1"
    )
    assert judge_run(gate_of(RULE, judges=floor, coverage=0.9), given, None).verdict == "pass"


def test_a_floor_holds_for_every_source_or_for_those_that_are_named() -> None:
    from genaiops.evaluation.passports import calibrate

    until = TODAY + timedelta(days=9)
    two = calibrate(JUDGE, [*rows(90, 10, "manuals"), *rows(55, 45, "news")], made=TODAY, expires=until)
    given = run(passports={"groundedness": two})
    floor = {**REQUIRED, "balanced_accuracy": 0.8}
    assert refused(judge_run(gate(floor), given, None), "balanced accuracy on news is 0.55")
    assert judge_run(gate({**floor, "sources": ("manuals",)}), given, None).verdict == "pass"
    assert refused(judge_run(gate({**floor, "sources": ("mails",)}), given, None), "no figures on 'mails'")


def test_figures_on_labels_the_judge_was_fitted_on_reach_no_floor() -> None:
    seen = passport(seen={"own labels"})
    given = run(passports={"groundedness": seen})
    assert refused(
        judge_run(gate({**REQUIRED, "auroc": 0.6}), given, None), "only on labels that the judge was fitted on"
    )


def test_labels_that_nobody_gave_make_no_passport_unless_they_are_named() -> None:
    (own,) = passport().sources
    made = replace(own, source="made", constructed=True)
    nobody = "no figures on labels that people gave for groundedness"
    for sources in ((made,), (replace(own, seen=True), made)):
        given = run(passports={"groundedness": replace(passport(), sources=sources)})
        assert refused(judge_run(gate(REQUIRED), given, None), nobody)
        assert refused(judge_run(gate({**REQUIRED, "auroc": 0.6}), given, None), nobody)
        assert judge_run(gate({**REQUIRED, "sources": ("made",)}), given, None).verdict == "pass"
    both = run(passports={"groundedness": replace(passport(), sources=(own, made))})
    assert judge_run(gate(REQUIRED), both, None).verdict == "pass"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("judges: {auroc: 0.7}", "auroc asks something of a passport: write passport: required beside it"),
        ("judges: {passport: demanded}", "'required' or 'optional'"),
        ("judges: {passport: required, auroc: 1.2}", "less than 1"),
        ("judges: {passport: required, aurocc: 0.7}", "did you mean 'auroc'"),
    ],
)
def test_wrong_demands_are_refused_with_their_line(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(f"coverage: 1.0\n{line}\nrules:\n  - {{measure: groundedness, at_least: 0.8}}\n")
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_gate(path)
    assert caught.value.where.endswith("gate.yaml:2")
