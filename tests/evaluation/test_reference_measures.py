"""BLEU, chrF, ROUGE and METEOR against the libraries the field uses, on made texts and on random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genaiops.evaluation import evaluate, measure_named
from genaiops.evaluation.measures import in_unit_interval
from genaiops.evaluation.overlap import bleu, chrf, meteor, rouge
from genaiops.evaluation.records import Measure, Sample
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, NotApplicable, Score
from genaiops.words import stem, words
from tests.contracts.measure_contract import MeasureContract

PAIRS = [
    ("The cat sat on the mat.", "The cat is sitting on the mat."),
    ("It costs 1,299.50 dollars (incl. tax), i.e. 3-4 % more.", "The price is $1,299.50, taxes included: 3-4% more!"),
    ("Returns are free.", "Returns are free."),
    ("no", "A much longer reference that shares nothing."),
    ("", "An answer was expected here."),
    ("Die Rücksendung ist kostenlos &amp; einfach.", "Rücksendungen sind einfach & kostenlos."),
    ("running runs ran the runner", "the runners run while running"),
]
# Words few enough to repeat, with what tokenisers stumble over.
TEXT = st.lists(
    st.sampled_from("the cat Cats sat on mat, 3.5 2-4 run running. (a) b_c état don't № & &lt;x&gt; \n x".split(" ")),
    max_size=25,
).map(" ".join)


@given(TEXT, TEXT)
@example(*PAIRS[1])
@example(*PAIRS[5])
@settings(max_examples=150, deadline=None)
def test_bleu_of_a_case_is_sacrebleus_sentence_bleu(answer: str, reference: str) -> None:
    from sacrebleu.metrics import BLEU

    theirs = BLEU(effective_order=True).sentence_score(answer, [reference]).score / 100
    assert bleu.sentence_bleu(bleu.counts(answer, reference)) == pytest.approx(theirs, abs=1e-9)


@given(TEXT, TEXT)
@example(*PAIRS[1])
@settings(max_examples=150, deadline=None)
def test_chrf_of_a_case_is_sacrebleus(answer: str, reference: str) -> None:
    from sacrebleu.metrics import CHRF

    theirs = CHRF().sentence_score(answer, [reference]).score / 100
    assert chrf.chrf(chrf.counts(answer, reference)) == pytest.approx(theirs, abs=1e-9)


@given(TEXT, TEXT)
@settings(max_examples=150, deadline=None)
def test_rouge_is_that_of_rouge_score_on_ascii(answer: str, reference: str) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    ours, expected = (text.encode("ascii", "ignore").decode() for text in (answer, reference))
    theirs = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(expected, ours)
    assert rouge.rouge_n(ours, expected, 1) == pytest.approx(theirs["rouge1"].fmeasure, abs=1e-12)
    assert rouge.rouge_n(ours, expected, 2) == pytest.approx(theirs["rouge2"].fmeasure, abs=1e-12)
    assert rouge.rouge_l(ours, expected) == pytest.approx(theirs["rougeL"].fmeasure, abs=1e-12)


def test_rouge_reads_other_scripts_too() -> None:
    assert rouge.rouge_n("Прогулка в парке", "прогулка по парке", 1) == pytest.approx(2 / 3)


class NoSynonyms:
    """nltk's WordNet without an entry."""

    def synsets(self, word: str) -> list[Any]:
        return []


class Snowball:
    def stem(self, word: str) -> str:
        return stem(word)


@given(TEXT, TEXT)
@example(*PAIRS[6])
@settings(max_examples=150, deadline=None)
def test_meteor_is_nltks_without_synonyms(answer: str, reference: str) -> None:
    from nltk.translate.meteor_score import single_meteor_score

    ours, theirs = words(answer), words(reference)
    expected = single_meteor_score(theirs, ours, stemmer=Snowball(), wordnet=NoSynonyms())
    assert meteor.score(ours, theirs) == pytest.approx(expected, abs=1e-12)


# --- of a whole run -----------------------------------------------------------------


def corpus(size: int = 30) -> list[tuple[str, str]]:
    drawn = random.Random(7)
    made = []
    for _ in range(size):
        reference = drawn.choices("a returned kettle is refunded within 14 days of its purchase by us .".split(), k=12)
        answer = [word for word in reference if drawn.random() < 0.8] + drawn.choices(["free", "kettle"], k=2)
        made.append((" ".join(answer), " ".join(reference)))
    return made


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_the_figure_of_a_run_is_the_corpus_score_not_the_mean_of_its_cases(name: str) -> None:
    from sacrebleu.metrics import BLEU, CHRF

    pairs = corpus()
    cases = tuple(Case(f"q{i:02}", f"question {i}?", reference=reference) for i, (_, reference) in enumerate(pairs))
    answers = {f"question {i}?": answer for i, (answer, _) in enumerate(pairs)}
    run = evaluate(lambda query: answers[query.text], GoldenSet("made", cases), measures=[name])
    judge = BLEU() if name == "bleu" else CHRF()
    corpus_score = judge.corpus_score([a for a, _ in pairs], [[r for _, r in pairs]]).score / 100
    (summary,) = run.summaries
    assert summary.mean == pytest.approx(corpus_score, abs=1e-9)
    assert summary.low is not None and summary.high is not None
    assert summary.low < corpus_score < summary.high
    values = run.values(name).values()
    assert abs(sum(values) / len(values) - corpus_score) > 1e-3


def test_citations_do_not_count_as_words() -> None:
    for name in ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "meteor"):
        cited, plain = (Sample("a", "Why?", text, reference="It is late today.") for text in
                        ("It is late today [1].", "It is late today."))  # fmt: skip
        assert measure_named(name).score([cited]) == measure_named(name).score([plain])


def test_a_tagged_case_takes_only_the_measures_of_its_task() -> None:
    labelled = Case("a", "Which?", reference="refund", tags=("task:classification",))
    translated = Case("b", "Translate: Hallo", reference="Hello", tags=("urgent", "task:translation"))
    plain = Case("c", "Why?", reference="Because.")
    for name in ("bleu", "chrf", "rougeL", "meteor"):
        measure = measure_named(name)
        outcomes = [measure.score([Sample(c.id, c.question, "x", reference=c.reference, case=c)])[0]
                    for c in (labelled, translated, plain)]  # fmt: skip
        assert outcomes[0] == NotApplicable("the case is tagged task:classification")
        assert [type(outcome) for outcome in outcomes[1:]] == [Score, Score]
        assert in_unit_interval(name)


def samples_of(pairs: list[tuple[str, str]]) -> Iterator[Sample]:
    for number, (answer, reference) in enumerate(pairs):
        yield Sample(str(number), "Why?", answer, reference=reference)


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge1", "rouge2", "rougeL", "meteor"])
class TestReferenceMeasures(MeasureContract):
    @pytest.fixture
    def measure(self, name: str) -> Measure:
        return measure_named(name)

    @pytest.fixture
    def samples(self) -> list[Sample]:
        return [*samples_of(PAIRS), Sample("none", "Why?", "Because.")]
