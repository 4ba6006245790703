"""How the relevance judge reads answers of a few words, with the real embedder. No question is of the probe."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.judges.short_answers import noun_asked_for
from genaiops.evaluation.records import Sample
from genaiops.records import Score

RIGHT: Mapping[str, tuple[str, ...]] = {
    "Where do the tugs lie?": ("North pier.", "at the old quay [1]", "Everywhere."),
    "Which pier do the ferries use?": ("North pier.", "Pier 7", "The second one."),
    "Who has the keys?": ("The plumber.", "Leila Haddad", "Nobody [1].", "two brothers"),
    "To whom do I write?": ("To the landlord.",),
    "Whose door is it?": ("The landlord's.",),
    "Which colour is the door?": ("Dark green.", "The green one."),
    "What is the deadline for claims?": ("Friday.", "30 days after purchase"),
    "What is the default port?": ("8080",),
    "When does the office open?": ("At seven.", "In May.", "After the war.", "Never."),
    "How many doors are there?": ("About forty.", "None.", "It has two."),
    "How long may I stay?": ("Ninety minutes.", "All day."),
    "How do I open the door?": ("With a key.", "Pull the handle."),
    "Why is the door shut?": ("Heavy rain.", "Because it rains."),
    "Is the door green or red?": ("Red.",),
    "May I come in?": ("Yes.", "Only on Mondays."),
}
WRONG: Mapping[str, tuple[str, ...]] = {
    "Where do the tugs lie?": ("Forty minutes.", "Because of the tide.", "Hard to say.", "Somewhere.", "The tugs."),
    "Which pier do the ferries use?": ("On Mondays.", "Because it is deep.", "The ferries."),
    "Who has the keys?": ("Twelve.", "The attic.", "Under the mat.", "Good question.", "Someone."),
    "Which colour is the door?": ("In 1951.", "The plumber.", "Which colour is the door?"),
    "What should I bring?": ("Please contact support.", "Not mentioned in the text."),
    "When does the office open?": ("The plumber.", "By two brothers."),
    "How many doors are there?": ("Forty minutes.", "The plumber.", "No."),
    "How do I open the door?": ("In 1951.",),
    "Why is the door shut?": ("Forty metres.", "On Monday."),
    "Is the door green or red?": ("Is the door green or red?",),
}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return default_embedder()


def values(embedder: Embedder, answers: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, str], float]:
    pairs = [(question, answer) for question, given in answers.items() for answer in given]
    outcomes = JUDGES["relevance"](embedder).score([Sample("", question, answer) for question, answer in pairs])
    scored = [outcome.value for outcome in outcomes if isinstance(outcome, Score)]
    return dict(zip(pairs, scored, strict=True))


def test_a_short_answer_of_the_kind_asked_for_is_relevant(embedder: Embedder) -> None:
    assert {pair: value for pair, value in values(embedder, RIGHT).items() if value < 0.5} == {}


def test_a_short_answer_of_another_kind_an_evasion_or_the_question_again_is_not(embedder: Embedder) -> None:
    assert {pair: value for pair, value in values(embedder, WRONG).items() if value >= 0.5} == {}


def test_an_amount_of_a_unit_that_was_not_asked_for_is_not_relevant(embedder: Embedder) -> None:
    right: Mapping[str, tuple[str, ...]] = {
        "How long is the warranty?": ("Three years.", "24 months", "3"),
        "How long is the cable?": ("62 cm.", "Nine hundred metres", "three miles"),
        "How often is the pump oiled?": ("Every 500 km.", "Twice a week."),
        "How much does the pass cost?": ("9.50 euro.", "$20", "30"),
        "What is the price of the pass?": ("9.50 euro a day.", "€12"),
        "How far is the quay?": ("2 km", "Ten minutes."),
        "How wide is the door?": ("62 cm.", "80"),
        "How many euros are left?": ("Twelve.", "12 euros"),
    }
    wrong: Mapping[str, tuple[str, ...]] = {
        "How long is the warranty?": ("9.50 euro.", "62 cm.", "12 GB"),
        "How long is the cable?": ("9.50 euro.",),
        "How often is the pump oiled?": ("9.50 euro.", "62 cm."),
        "How much does the pass cost?": ("62 cm.", "Three years."),
        "What is the price of the pass?": ("62 cm.", "Three years."),
        "How far is the quay?": ("$20",),
        "How wide is the door?": ("9.50 euro.",),
    }
    assert {pair: value for pair, value in values(embedder, right).items() if value < 0.5} == {}
    assert {pair: value for pair, value in values(embedder, wrong).items() if value >= 0.5} == {}


def test_a_short_clause_with_words_of_the_question_is_not_taken_for_a_wrong_kind(embedder: Embedder) -> None:
    clauses: Mapping[str, tuple[str, ...]] = {
        "How many tonnes does the crane lift?": ("The crane lifts 20 tonnes.",),
        "Where do the tugs lie?": ("The tugs lie at the north pier.",),
    }
    assert min(values(embedder, clauses).values()) > 0.5


def test_form_alone_never_proves_an_answer(embedder: Embedder) -> None:
    far: Mapping[str, tuple[str, ...]] = {
        "Where do the tugs lie?": ("Everywhere.",),
        "How many doors are there?": ("Twelve.",),
    }
    assert max(values(embedder, far).values()) <= 0.8


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Which pier do the ferries use?", "pier"),
        ("Which of the two roads is shorter?", "two roads"),
        ("What kind of paint is needed?", "paint"),
        ("In which country are they built?", "country"),
        ("What's the maximum file size?", "maximum file size"),
        ("What is the capital of the province?", "capital"),
        ("What are the doors made of?", ""),
        ("What does the pump move?", ""),
        ("Where is it?", ""),
    ],
)
def test_the_noun_that_what_and_which_ask_for(question: str, noun: str) -> None:
    assert noun_asked_for(question) == noun
