"""Accuracy, precision, recall, F1 and cross-entropy against scikit-learn."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genaiops.errors import ConfigurationError
from genaiops.evaluation import evaluate, measure_named, score_rows
from genaiops.evaluation.classes import counted, macro, of_label
from genaiops.evaluation.records import Measure, Run, Sample
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Score, Unscored
from tests.contracts.measure_contract import MeasureContract

LABELS = ("refund", "not spam", "billing", "other")


def run_of(pairs: list[tuple[str, str]], *measures: str) -> Run:
    cases = tuple(Case(f"q{i:03}", f"mail {i}", reference=true) for i, (true, _) in enumerate(pairs))
    answers = {f"mail {i}": said for i, (_, said) in enumerate(pairs)}
    return evaluate(lambda query: answers[query.text], GoldenSet("mails", cases), measures=measures)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, "gibberish"))), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_formulas_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    from sklearn.metrics import precision_recall_fscore_support as theirs

    total: dict[str, float] = {}
    for true, said in pairs:
        for key, count in counted(true, said).items():
            total[key] = total.get(key, 0) + count
    trues, saids = zip(*pairs, strict=True)
    labels = sorted(set(trues))
    expected = theirs(trues, saids, labels=labels, average="macro", zero_division=0)
    each = theirs(trues, saids, labels=labels, average=None, zero_division=0)
    for position, figure in enumerate(("precision", "recall", "f1")):
        assert macro(figure, total) == pytest.approx(expected[position])
        for label, value in zip(labels, each[position], strict=True):
            assert of_label(figure, label, total) == pytest.approx(value)


def test_a_run_gives_the_figure_of_the_whole_set_and_of_one_label() -> None:
    from sklearn.metrics import accuracy_score, f1_score

    drawn = random.Random(3)
    trues = [drawn.choice(LABELS) for _ in range(60)]
    pairs = [(true, f" {true.title()}. " if drawn.random() < 0.7 else drawn.choice(LABELS)) for true in trues]
    run = run_of(pairs, "accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_label@not_spam")
    saids = [said.strip(" .").lower() for _, said in pairs]
    figures = {summary.measure: summary for summary in run.summaries}
    assert figures["accuracy"].mean == pytest.approx(accuracy_score(trues, saids))
    assert figures["f1_macro"].mean == pytest.approx(f1_score(trues, saids, average="macro"))
    one = f1_score(trues, saids, labels=["not spam"], average="macro")
    assert figures["f1_label@not_spam"].mean == pytest.approx(one)
    for summary in figures.values():
        assert summary.low is not None and summary.high is not None and summary.mean is not None
        assert 0 <= summary.low < summary.mean < summary.high <= 1


def test_a_run_read_back_judges_a_pooled_figure_from_its_record() -> None:
    run = run_of([("refund", "refund"), ("billing", "refund"), ("billing", "billing")] * 10, "f1_macro")
    again = Run.from_json(json.loads(json.dumps(run.to_json())))
    assert again == run
    assert again.scales["f1_macro"].statistic == "f1_macro"
    assert run.values("f1_macro")["q001"] == 0.0


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_cross_entropy_is_scikit_learns_log_loss(rows: list[list[float]]) -> None:
    from sklearn.metrics import log_loss

    labels = ["a", "b", "c"]
    probabilities = [[value / sum(row) for value in row] for row in rows]
    trues = [labels[i % 3] for i in range(len(rows))]
    samples = [
        Sample(str(i), "?", json.dumps({"label": "a", "probabilities": dict(zip(labels, row, strict=True))}),
               reference=true)
        for i, (row, true) in enumerate(zip(probabilities, trues, strict=True))
    ]  # fmt: skip
    outcomes = measure_named("cross_entropy").score(samples)
    values = [outcome.value for outcome in outcomes if isinstance(outcome, Score)]
    assert sum(values) / len(values) == pytest.approx(log_loss(trues, probabilities, labels=labels))


@pytest.mark.parametrize(
    ("probabilities", "says"),
    [
        (None, "gives no probabilities"),
        ({"a": 0.2, "b": 0.2}, "add up to 0.4"),
        ({"a": 1.2, "b": -0.2}, "no number from 0 to 1"),
        ({"a": True}, "no number from 0 to 1"),
        ({"a": "much"}, "no number from 0 to 1"),
        ({"a": float("nan"), "b": 1.0}, "no number from 0 to 1"),
    ],
)
def test_probabilities_that_are_none_are_no_number(probabilities: object, says: str) -> None:
    sample = Sample("1", "?", "a", reference="a", facts={"probabilities": probabilities})
    (outcome,) = measure_named("cross_entropy").score([sample])
    assert isinstance(outcome, Unscored) and says in outcome.reason


def test_a_label_that_was_ruled_out_costs_much_and_not_everything() -> None:
    sample = Sample("1", "?", "a", reference="b", facts={"probabilities": {"a": 1.0}})
    (outcome,) = measure_named("cross_entropy").score([sample])
    assert isinstance(outcome, Score)
    assert outcome.value == pytest.approx(34.539, abs=1e-3)


def test_rows_may_bring_probabilities() -> None:
    row = {"id": 1, "question": "?", "answer": "a", "reference": "a", "probabilities": {"a": 0.5, "b": 0.5}}
    assert score_rows([row], ["cross_entropy"])[0]["value"] == pytest.approx(0.6931, abs=1e-4)


@pytest.mark.parametrize("name", ["f1_label@Refund", "f1_label@", "recall_label@not spam"])
def test_a_label_is_written_as_answers_are_read(name: str) -> None:
    with pytest.raises(ConfigurationError, match="write '"):
        measure_named(name)


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "recall_label@refund", "cross_entropy"])
class TestClassificationMeasures(MeasureContract):
    @pytest.fixture
    def measure(self, name: str) -> Measure:
        return measure_named(name)

    @pytest.fixture
    def samples(self) -> list[Sample]:
        told = {"probabilities": {"refund": 0.9, "billing": 0.1}}
        tagged = Case("3", "?", reference="x", tags=("task:translation",))
        return [
            Sample("1", "?", "refund", reference="refund", facts=told),
            Sample("2", "?", "Billing!", reference="refund", facts=told),
            Sample("3", "?", "x", reference="x", case=tagged),
        ]
