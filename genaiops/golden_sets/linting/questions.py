"""Questions that come twice, and questions that do not say what they ask about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from genaiops.golden_sets.linting.problem import Ground, Problem, shown
from genaiops.golden_sets.similarity import SimilarWords, near_by_meaning, plain_words
from genaiops.words import content_words, words

# Words that point at something said before, and words that name nothing by themselves.
_POINTING = frozenset("it its this that these those they them he she there one ones".split())
_EMPTY = frozenset("""
    answer answers ask case different do does difference example explain get give happen happens help know like make
    mean means need needs part question reason say says tell thing things true use used way work works
    above below following mentioned previous anything everything nothing something wrong go goes gone went
""".split())  # fmt: skip


def duplicates(ground: Ground) -> Iterator[Problem]:
    """Questions asked in the same words as an earlier case."""
    plain: dict[tuple[str, ...], str] = {}
    for case in ground.golden:
        twin = plain.setdefault(tuple(plain_words(case.question)), case.id)
        if twin != case.id:
            what = f"asks the same question as case {twin!r}"
            yield Problem(case.id, None, what, "drop one of them: it counts twice in every mean", code="duplicate")


def near_duplicates(ground: Ground) -> Iterator[Problem]:
    """Questions asked in almost the same words as an earlier case, or with almost the same meaning."""
    cases = ground.golden.cases
    place = {case.id: number for number, case in enumerate(cases)}
    same: dict[str, set[str]] = defaultdict(set)
    index = SimilarWords((case.id, case.question) for case in cases)
    for case in cases:
        for other in index.of(case.question):
            if place[other] >= place[case.id]:
                continue
            same[case.id].add(other)
            if plain_words(cases[place[other]].question) != plain_words(case.question):
                what = f"asks almost the same question as case {other!r}"
                yield _near(case.id, what)
    if ground.embed is None:
        return
    for later, earlier, cosine in near_by_meaning([case.question for case in cases], ground.embed):
        if cases[earlier].id not in same[cases[later].id]:
            what = f"asks what case {cases[earlier].id!r} asks, {shown(cases[earlier].question)} (cosine {cosine:.2f})"
            yield _near(cases[later].id, what)


def _near(case_id: str, what: str) -> Problem:
    return Problem(case_id, None, what, "keep both only if they differ", "warning", "near_duplicate")


def without_subject(ground: Ground) -> Iterator[Problem]:
    """Questions that point at something which nobody mentioned, or name nothing: any document may answer them."""
    for case in ground.golden:
        if case.wants_answer and not names_something(case.question):
            what = f"{shown(case.question)} does not say what it asks about"
            remedy = "name the thing, as somebody would who has not read the document"
            yield Problem(case.id, None, what, remedy, "warning", "ambiguous")


def names_something(question: str) -> bool:
    """Whether a question stands for itself: it has a word with a meaning of its own, or two beside a pointing word.

    Questions without a word in Latin letters are not judged.
    """
    if not re.search(r"[A-Za-z]{2}", question):
        return True
    return len(subjects(question)) >= (2 if any(word in _POINTING for word in words(question)) else 1)


def subjects(text: str) -> set[str]:
    """The words of an English text that mean something by themselves, as stems."""
    own = {word for word in content_words(text) if word not in _EMPTY and word not in _POINTING}
    return {word for word in own if len(word) > 1 or not word.isalpha()}
