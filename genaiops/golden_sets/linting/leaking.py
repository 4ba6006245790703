"""Questions and answers of the set that a model is shown beforehand: in few-shot examples, or in the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genaiops.golden_sets.linting.problem import Ground, Problem, shown
from genaiops.golden_sets.similarity import SimilarWords, plain_words
from genaiops.sentences import sentence_spans

FEWEST_WORDS = 5  # different ones of a question; fewer are asked by chance
_CLOSING = "*_\"'”’»)]"  # may stand behind a question mark
FEWEST_OF_REFERENCE = 8  # a short answer ("30 days") stands anywhere


def leaked(ground: Ground) -> Iterator[Problem]:
    """Cases of which a prompt file holds the question or the reference, or a document the question, or almost."""
    questions = SimilarWords(
        (case.id, case.question) for case in ground.golden if len(set(plain_words(case.question))) >= FEWEST_WORDS
    )
    references = SimilarWords(
        (case.id, case.reference)
        for case in ground.golden
        if len(set(plain_words(case.reference))) >= FEWEST_OF_REFERENCE
    )
    for prompt, case_id, piece in _held(ground.prompts, questions):
        yield _leak(case_id, f"prompt {prompt!r} holds its question, as {shown(piece)}")
    for prompt, case_id, piece in _held(ground.prompts, references):
        yield _leak(case_id, f"prompt {prompt!r} holds its reference, as {shown(piece)}")
    for document, case_id, piece in _held(ground.texts, questions, only_questions=True):
        what = f"{document} holds its question, as {shown(piece)}"
        remedy = "any search finds it by its own words; ask in other words, or take the page out of the documents"
        yield Problem(case_id, None, what, remedy, "warning", "leaked")


def _leak(case_id: str, what: str) -> Problem:
    remedy = "take another example for the prompt, or drop the case: the answer is given away"
    return Problem(case_id, None, what, remedy, "error", "leaked")


def _held(
    texts: Mapping[str, str], index: SimilarWords, *, only_questions: bool = False
) -> Iterator[tuple[str, str, str]]:
    """(text, case, the words it is held in), once for each text and case."""
    for name, text in texts.items():
        told: set[str] = set()
        for start, end in sentence_spans(text):
            piece = text[start:end]
            if only_questions and not piece.rstrip(_CLOSING).endswith("?"):
                continue
            for case_id in index.of(_bare(piece)):
                if case_id not in told:
                    told.add(case_id)
                    yield name, case_id, piece


def _bare(piece: str) -> str:
    """Without a label such as `Q:`, `User:` or `**Question:**` before it."""
    label, colon, rest = piece.partition(":")
    return rest if colon and len(plain_words(label)) == 1 and len(label) <= 20 else piece
