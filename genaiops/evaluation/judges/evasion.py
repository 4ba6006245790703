"""Evasion: how much of an answer only repeats the question, or says that there is much to be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from genaiops.evaluation.judges.sentences import Sentence
from genaiops.evaluation.judges.words import Words, words_of
from genaiops.words import stem

# Words that fill an answer and tell nothing, beyond those that no judge counts at all.
FILLERS: Final = """
    able advise answer appropriate ask aspect available broad careful carefully case certain certainly
    challenging circumstance clarify clear common complex complicated concern consider considerable
    consideration context deep definite definitely definitive depend detail determine differ different difficult
    difficulty discuss exact exactly expert explain explanation explore face fact factor fascinating follow full
    fully general generally good great guess hard help helpful hope idea important individual influence
    information insight interesting involve issue knowledge large long look material matter mean mention
    multiple nature necessarily need nuanced opinion people perspective place possible possibly precise
    precisely probably problem professional provide qualified question raise reason recommend refer regard
    relate related relevant reliable reply research response review seek short simple simply situation somehow
    someone something somewhere sorry speak specialist specific specifically subject suggest sure talk tell text
    thank think topic touch tricky try uncertain unclear understand unfortunately unknown unsure vague variable
    variety vary view wide wonder wonderful worth
"""
# What is said instead of an answer; a sentence with one of these tells something only by what else is in it.
_CUE = re.compile(
    r"\b(?:(?:it|that|this|which|answer|much|everything|lot) (?:really |very much |all |also |largely )?depends?\b|"
    r"(?:good|great|interesting|excellent|tricky|tough|hard|difficult|complex|broad|fair) (?:question|topic|matter)|"
    r"(?:hard|difficult|impossible|not easy|not possible) to (?:say|tell|answer|know|generali[sz]e|pin down)|"
    r"(?:can(?:not|'t|’t)|could(?: not|n't|n’t)|unable to|not able to) (?:\w+ )?(?:say|tell|answer|determine|confirm|"
    r"comment|be sure|be answered|find|provide|help)|"
    r"(?:do(?:es)?|did)(?: not|n't|n’t) (?:\w+ )?(?:know|say|mention|state|specify|contain|address|cover|have enough)|"
    r"(?:many|several|various|a (?:lot|number|variety|range) of|different|multiple|numerous) (?:\w+ )?"
    r"(?:factors|aspects|views|opinions|sides|ways|reasons|things|answers|perspectives|considerations|explanations)|"
    r"(?:consult|contact|ask|speak (?:to|with)|talk to|refer to|seek)\b.{0,40}"
    r"\b(?:expert|professional|specialist|advice|doctor|team|support|manual|documentation|literature|resources?)|"
    r"(?:more|further|additional) (?:information|details?|context|research)|not (?:entirely |quite )?(?:sure|certain|"
    r"clear)|(?:varies|vary|differs?) (?:from|by|between|depending|widely|greatly)|no (?:single|simple|easy|clear|"
    r"definite|definitive|one) (?:\w+ )?answer)",
    re.IGNORECASE,
)
_CAVEAT = re.compile(r"[,;:]?\s+(?:but|however|although|though|yet)\b,?\s*", re.IGNORECASE)
# From so many stems of the question in one sentence on, half as many others tell nothing, names and numbers apart.
ECHO = 4
AUXILIARY: Final = "is|are|was|were|do|does|did|can|could|will|would|should|shall|may|must|has|have|had|am"
_POLAR = re.compile(rf"(?:^|[.?!]\s+)\W*(?:{AUXILIARY})\b", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:what|why|how|who|whom|whose|when|where|which)\b", re.IGNORECASE)
_MAY = re.compile(r"(?<=\w )May\b")  # the month; every other use of it is no content word
FEW = 3  # content stems that a sentence with a cue may hold besides, and still tell nothing


def asks_yes_or_no(question: str) -> bool:
    """Whether a bare yes or no would answer the question."""
    return bool(_POLAR.search(question)) and not _OPEN.search(question)


def evasion(question: str, said: Sequence[Sentence]) -> float:
    """Share of the answer's content words, in [0, 1], that stand in sentences which tell nothing.

    A sentence tells nothing when all its content words are the question's own or
    fillers, or when it holds a phrase said instead of answers and hardly more. Where yes
    or no is asked, to repeat the question is to affirm it.
    """
    asked, polar = words_of(question), asks_yes_or_no(question)
    words = [len(sentence.words.content) for sentence in said]
    empty = sum(count for sentence, count in zip(said, words, strict=True) if _tells_nothing(asked, sentence, polar))
    return empty / max(1, sum(words))


def _tells_nothing(asked: Words, sentence: Sentence, polar: bool) -> bool:
    if sentence.text.rstrip().endswith("?") and sentence.words.stems <= asked.stems:
        return True  # the question itself
    # "I can't tell for sure, but the pilot is ordered by radio" tells something after the "but".
    parts = _CAVEAT.split(sentence.text)
    return all(_is_empty(part, asked, polar) for part in parts)


def _is_empty(part: str, asked: Words, polar: bool) -> bool:
    words = words_of(part)
    own, echoed = words.stems - asked.stems - _fillers(), words.stems & asked.stems
    if words.numbers - asked.numbers or _MAY.search(part):
        return False
    if _CUE.search(part):
        return len(own) <= FEW
    if polar:
        return not own and not echoed
    if not own:
        return True
    return len(echoed) >= ECHO and len(own) <= len(echoed) / 2 and not own & words.names


@lru_cache(maxsize=1)
def _fillers() -> frozenset[str]:
    return frozenset(stem(word) for word in FILLERS.split())
