"""Corrected shares and means find the truth behind a judge that errs, and say how well they know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genaiops.errors import ConfigurationError, NotFound
from genaiops.evaluation.passports import Labelled, corrected_by_labels, corrected_shares, label_sheet
from genaiops.evaluation.passports.correcting import ppi_mean, rogan_gladen
from genaiops.evaluation.passports.record import Confusion, Figure, SourceFigures
from genaiops.evaluation.passports.text import correction_line
from genaiops.evaluation.records import CaseResult, Run, Sample
from genaiops.records import Answer, Query, Usage
from tests.passports.makers import DAY, WordJudge, passport
from tests.promotion.builders import case, run_of

TIMES = 300
HELD = 275  # of 285 promised; fewer would come by chance once in about 300


def corrected(good: int, n: int, confusion: Confusion) -> Figure:
    found = rogan_gladen(good, n, confusion)
    assert found is not None
    return found


def test_rogan_and_gladen_undo_known_error_rates() -> None:
    # Of 1,000 answers 600 are good; the judge finds 90 % of them and 20 % of the 400 bad ones.
    found = corrected(540 + 80, 1000, Confusion(900, 200, 800, 100))
    assert found.value == pytest.approx(0.6)
    assert found.low < 0.6 < found.high


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.9), (0.7, 0.8)])
@pytest.mark.parametrize("labels", [30, 150])
def test_the_corrected_share_holds_the_truth(truth: float, sensitivity: float, specificity: float, labels: int) -> None:
    rng = np.random.default_rng(3)
    called = truth * sensitivity + (1 - truth) * (1 - specificity)
    hits = 0
    for _ in range(TIMES):
        right, refused = int(rng.binomial(labels, sensitivity)), int(rng.binomial(labels, specificity))
        confusion = Confusion(right, labels - refused, refused, labels - right)
        found = rogan_gladen(int(rng.binomial(150, called)), 150, confusion)
        hits += found is not None and found.low <= truth <= found.high
    assert hits >= HELD


def test_the_share_as_judged_would_not_have_held_the_truth() -> None:
    """What the correction is for: the judge's own share of a mediocre judge is far off."""
    called = 0.9 * 0.7 + 0.1 * 0.2
    assert called == pytest.approx(0.65)
    assert corrected(650, 1000, Confusion(700, 200, 800, 300)).value == pytest.approx(0.9)


def test_a_judge_not_shown_better_than_chance_says_nothing() -> None:
    for confusion in (Confusion(5, 5, 5, 5), Confusion(2, 8, 2, 8), Confusion(2, 1, 2, 1)):
        found = corrected(60, 100, confusion)
        assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("skill", [0.0, 0.9])
@pytest.mark.parametrize("labels", [20, 100])
def test_the_mean_corrected_by_labels_holds_the_truth(truth: float, skill: float, labels: int) -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(TIMES):
        good = (rng.random(labels + 300) < truth) * 1.0
        guess = rng.random(labels + 300)
        # A judge with a bias: its values lie between 0.3 and 1 where it knows, anywhere where it does not.
        value = np.where(rng.random(labels + 300) < skill, 0.6 * good + 0.4 * guess, guess)
        found = ppi_mean(list(zip(good[:labels], value[:labels], strict=True)), list(value[labels:]))
        hits += found.low <= truth <= found.high
    assert hits >= HELD


def test_a_good_judge_narrows_what_labels_alone_know() -> None:
    rng = np.random.default_rng(5)
    good = (rng.random(1050) < 0.6) * 1.0
    value = np.clip(0.8 * good + 0.2 * rng.random(1050), 0, 1)
    pairs = list(zip(good[:50], value[:50], strict=True))
    alone, helped = ppi_mean(pairs, []), ppi_mean(pairs, list(value[50:]))
    assert helped.high - helped.low < 0.6 * (alone.high - alone.low)
    worthless = ppi_mean([(label, 0.5) for label, _ in pairs], [0.5] * 1000)
    assert worthless == alone


def run_with(values: list[float], labels: int = 0) -> Run:
    judge = WordJudge()
    run = run_of({"groundedness": list(values)}, judges={"groundedness": judge.judge})
    return replace(run, passports={"groundedness": passport()})


def test_a_run_gives_its_share_corrected_by_the_passport_of_its_judge() -> None:
    run = run_with([0.9] * 74 + [0.1] * 26)
    found = corrected_shares(run, on=DAY)["groundedness"]
    assert found.judged == 0.74
    assert found.sources["own labels"].value == pytest.approx(0.8)  # (0.74 + 0.9 - 1) / 0.8
    assert found.low < 0.8 < found.high
    assert "the judge calls 0.74 of 100 answers good; corrected for its error" in correction_line(found)


def test_several_sources_give_the_widest_interval_and_one_fitted_on_gives_none() -> None:
    run = run_with([0.9] * 74 + [0.1] * 26)
    (own,) = passport().sources
    worse = replace(own, source="news", confusion=Confusion(60, 40, 60, 40))
    both = replace(passport(), sources=(own, worse))
    found = corrected_shares(replace(run, passports={"groundedness": both}), on=DAY)["groundedness"]
    lows, highs = zip(*((s.low, s.high) for s in found.sources.values()), strict=True)
    assert (len(lows), found.low, found.high) == (2, min(lows), max(highs))
    seen = replace(passport(), sources=(own, replace(worse, seen=True)))
    assert list(corrected_shares(replace(run, passports={"groundedness": seen}), on=DAY)["groundedness"].sources) == [
        "own labels"
    ]


def test_the_interval_does_not_narrow_as_the_error_rates_fit_less() -> None:
    """The better the judge's word, up to where no share of good answers explains it, the interval keeps its width."""
    blind = Confusion(55, 35, 65, 45)
    widths, good = [], 55
    while (found := rogan_gladen(good, 100, blind)) is not None:
        widths.append(found.high - found.low)
        good += 1
    assert 60 < good < 90
    assert min(widths) > 0.25


def test_labels_of_another_kind_of_answers_are_left_out_and_named() -> None:
    """A judge that finds 55 of 100 good answers cannot have called 97 of 100 good, however many are."""
    assert rogan_gladen(97, 100, Confusion(55, 35, 65, 45)) is None
    assert rogan_gladen(3, 100, Confusion(90, 35, 65, 10)) is None
    run = run_with([0.9] * 97 + [0.1] * 3)
    (own,) = passport().sources
    forgiving = replace(own, source="forgiving", confusion=Confusion(95, 40, 60, 5))
    blind = replace(own, source="blind", confusion=Confusion(55, 35, 65, 45))
    found = corrected_shares(with_sources(run, forgiving, blind), on=DAY)["groundedness"]
    assert (list(found.sources), found.unlike) == (["forgiving"], ("blind",))
    assert found.low < 0.97
    assert "not as on blind, which cannot be" in correction_line(found)
    nothing = corrected_shares(with_sources(run, blind), on=DAY)["groundedness"]
    assert (nothing.low, nothing.high, nothing.sources) == (0.0, 1.0, {})
    assert "no labels at hand explain so large or small a share" in correction_line(nothing)


def with_sources(run: Run, *sources: SourceFigures) -> Run:
    return replace(run, passports={"groundedness": replace(passport(), sources=sources)})


def test_no_correction_by_a_passport_that_does_not_hold() -> None:
    run = run_with([0.9] * 10)
    for unfit in (
        replace(passport(), retired="errs on roles"),
        replace(passport(), judge="f" * 64),
        replace(passport(), expires_at="2026-11-20"),
        replace(passport(), sources=tuple(replace(s, seen=True) for s in passport().sources)),
    ):
        assert corrected_shares(replace(run, passports={"groundedness": unfit}), on=DAY) == {}


def answered(values: list[float]) -> Run:
    """A run that keeps its answers, as evaluation's do."""
    run = run_with(values)
    results = tuple(
        CaseResult(
            case(n),
            Answer(Query("q", r.case.id), f"answer {n}", False, (), (), Usage(), None, {}, "m", "p", "i"),
            "",
            r.outcomes,
        )
        for n, r in enumerate(run.results)
    )
    return replace(run, results=results)


def labels_of(run: Run, sheet: list[dict[str, str]], label: float) -> list[Labelled]:
    return [Labelled(Sample(row["id"], "", row["answer"]), label) for row in sheet]


def test_a_sheet_draws_cases_at_random_and_hides_the_values() -> None:
    run = answered([0.9] * 40)
    sheet = label_sheet(run, "groundedness", cases=10)
    assert len({row["id"] for row in sheet}) == 10
    assert all(row["label"] is None for row in sheet)
    assert "0.9" not in str(sheet)
    assert sheet == label_sheet(run, "groundedness", cases=10)
    assert [row["id"] for row in sheet] != sorted(row["id"] for row in sheet)
    with pytest.raises(NotFound, match="no values of a judge for 'relevance'"):
        label_sheet(run, "relevance")


def test_labels_of_some_answers_correct_the_mean_of_all() -> None:
    run = answered([0.9] * 100)
    sheet = label_sheet(run, "groundedness", cases=20)
    half = labels_of(run, sheet[:10], 1.0) + labels_of(run, sheet[10:], 0.0)
    found = corrected_by_labels(run, "groundedness", half)
    assert found.judged == pytest.approx(0.9)
    assert (found.labelled, found.n) == (20, 100)
    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high < 0.9


def test_labels_of_other_answers_are_refused() -> None:
    run = answered([0.9] * 10)
    good = labels_of(run, label_sheet(run, "groundedness", cases=6), 1.0)
    stranger = Labelled(Sample("nobody", "", "answer 1"), 1.0)
    changed = Labelled(replace(good[0].sample, answer="another answer"), 1.0)
    for rows, words in (
        ([*good, stranger], "'nobody' is no case of run"),
        ([*good[1:], changed], "labels another answer"),
        ([*good, good[0]], "there twice"),
        (good[:4], "4 labels: at least 5"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            corrected_by_labels(run, "groundedness", rows)
