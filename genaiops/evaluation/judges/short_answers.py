"""Short answers: is an answer of a few words of the kind that its question asks for?

"North pier." is far from "Where do the tugs lie?" in meaning, and all that was asked for.
The question word says which forms its answer may have, and the answer's own figures and
small words say which form it has. A phrase without any ("The harbour master.", "The
harbour wall.") may name a person, a place or a thing: there the embedder tells what it is
nearest to. Nothing here says that an answer is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from genaiops.evaluation.judges.evasion import AUXILIARY, asks_yes_or_no
from genaiops.evaluation.judges.sentences import Vectorizer
from genaiops.evaluation.judges.words import SMALL_NUMBERS, TOKEN, words_of

MOST_WORDS = 8  # of a short answer, small words among them
MOST_CONTENT = 4  # content words of a short answer
WRONG, RIGHT, SHARED = -1.0, 0.05, 0.15  # nearness of an answer of the wrong form, the right one, with the noun asked for
NEAR, SLACK = 0.18, 0.08  # cosines: a noun is of every kind so near to it, and at most so much less than the nearest

# What phrases, and the noun after "which", are compared with.
KINDS: Final = {
    "person": "a person, a team or a company",
    "place": "a place, a town or a room",
    "thing": "a thing or a material",
    "time": "a time, a date or a day",
    "number": "a number, an amount or a price",
}
PHRASES: Final = ("person", "place", "thing")  # the kinds whose names have no form of their own

_TENS = "(?:twen|thir|for|fif|six|seven|eigh|nine)t"
_COUNT = rf"(?:\d[\d.,]*|one|{'|'.join(SMALL_NUMBERS)}|{_TENS}y(?:-\w+)?)"
_UNIT = r"(?:seconds|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?|centur(?:y|ies))"
_TIMES = (
    r"(?:january|february|march|april|june|july|august|september|october|november|december|(?:sun|mon|tues|wednes|"
    r"thurs|fri|satur|to|yester|birth|week|holi)days?|spring|summer|autumn|winter|noon|midnight|mornings?|afternoons?|"
    rf"evenings?|nights?|tonight|tomorrow|weekends?|now|soon|later|once|twice|often|anytime|immediately|ago|hourly|"
    rf"daily|nightly|weekly|monthly|quarterly|yearly|annually|{_UNIT}|{_TENS}ies|o['’]clock|(?-i:May))"
)
_FORMS: Final = {
    "number": (
        r"^(?:\W|\b(?:an?|the|about|around|approximately|almost|nearly|over|under|up to|at (?:least|most)|more than|"
        r"less than|only|roughly|exactly|just|between|within)\b)*"
        rf"(?:{_COUNT}|zero|twice|half|a (?:third|quarter)|dozens?|(?:hundred|thousand|[mb]illion)s?|none|nothing|no|many|few|"
        r"several|all|most)\b"
    ),
    "time": (
        r"^\W*(?:(?:shortly|right|only|not|just) )*(?:since|until|till|before|after|during|when(?:ever)?|while|every|each|once|always|"
        r"never|as soon as|now)\b|"
        rf"\b{_TIMES}(?:,? (?:at )?{_COUNT})?\W*$|\b(?:at|past|by|until|from) {_COUNT}\W*$|\d ?[ap]\.?m\b|"
        rf"\b\d\d?:\d\d\b|\b\d+[-/.]\d+[-/.]\d+\b|^\W*(?:(?:in|by|around|about) )?[12]\d{{3}}\W*$"
    ),
    "place": (
        r"^\W*(?:(?:right|just|directly|out|over|up|down) )*(?:in|on|at|near|behind|beside|below|above|under|inside|"
        r"outside|between|next to|opposite|along|across|around|through|by (?:the|an?|my|our)|to|from|into|beneath)\b|"
        r"^\W*(?:(?:over )?(?:here|there)|(?:every|no|any|some)where|(?:up|down)stairs|indoors|outdoors|abroad|online)\b|"
        r"\w*/\w+/\w"
    ),
    "reason": r"^\W*(?:because|due|owing|since|so|for|to|as|thanks)\b",
    "manner": (
        r"^\W*(?:by|with|without|via|through|using|on|over|per|as|from|(?-i:[Ii]n (?:the )?(?![A-Z][a-z])))\b"
        r"|\w{3}ly\b|^\W*online\b"
    ),
    "assent": r"^\W*(?:yes|no|only|not|never|always|sometimes|usually|partly|mostly|rarely|often)\b",
    "pronoun": (
        r"^\W*(?:(?:all|both|none|neither|either|most|some|any|each|one)(?: of (?:them|these|those|us|you))?|"
        r"(?:every|any|some|no)(?:one|body|thing| one)|i|me|you|we|us|they|them|he|him|she|her)\W*$"
    ),
    "bare": rf"^\W*{_COUNT}\W*$",  # a number may be a name: room 12, version 3.1
}
_COMPILED: Final = {form: re.compile(pattern, re.I) for form, pattern in _FORMS.items()}
_LEADS = re.compile(r"^\W*(?:it|that|this|they|these|those|he|she)(?:['’](?:s|re)| is| are| was| were)\s+", re.I)
_TRAILS = re.compile(rf"(?<=\w)\s+(?:{AUXILIARY})(?=\W*$)", re.I)
_CLAUSE = re.compile(rf"\b(?:{AUXILIARY}|(?-i:I)|we|you|it|they|he|she)\b|n['’]t\b|['’](?:re|ve|ll|m)\b", re.I)
_PREPOSITION = re.compile(r"^\W*(by|with|without|via|through|using|per|over|as|from|of|in|on|at|to|for|under)\s+", re.I)
_NOUNS: Final = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:what|which) ((?:(?!(?:{AUXILIARY})\b)[\w’'-]+ ){{1,5}})(?={AUXILIARY})",
        r"\bwhich (?:of (?:the|these|those) )?([\w’'-]+)",
        r"\bwhat(?:['’]s| is| are| was| were) (?:the|an?|your|our|its|their|his|her) ([\w’'-]+(?: [\w’'-]+)?)"
        r"(?= (?:of|in|on|at|for|to|from|with|by) \w|\W*$)",
    )
)
_ELSEWHERE = re.compile(r"^\W*(?:please )?(?:see|ask|consult|contact|refer|check|look)\b", re.I)
_KIND_OF = re.compile(r"^(?:kind|type|sort|form)s? of |^of (?:the|these|those) ", re.I)

# What a question asks for → the forms its answer may have, and of which kind a phrase must be. The first that fits counts.
ASKS: Final = (
    (re.compile(r"\bhow (?:long|often|far|soon|late|early|old)\b", re.I), {"number", "time"}, ""),
    (re.compile(r"\bhow (?:many|much|big|large|fast|high|tall|wide|deep|heavy|hot|cold|thick)\b", re.I), {"number"}, ""),
    (re.compile(r"\b(?:when|(?:what|which) (?:year|date|day|month|time)s?)\b", re.I), {"time"}, ""),
    (re.compile(r"\bwhere\b", re.I), {"place"}, "place"),
    (re.compile(r"\bwho(?:m|se)?\b", re.I), {"pronoun"}, "person"),
    (re.compile(r"\b(?:why|how come)\b", re.I), {"reason"}, "thing"),
    (re.compile(r"\b(?:what|which)\b", re.I), {"pronoun", "bare"}, "thing"),
    (re.compile(r"\bhow\b", re.I), {"manner"}, "thing"),
)  # fmt: skip
_AMOUNT = {"number"}


def is_short(answer: str, content: int) -> bool:
    """Whether an answer with so many content words is judged by its form."""
    return content <= MOST_CONTENT and len(TOKEN.findall(answer)) <= MOST_WORDS


def texts_for(question: str) -> Iterable[str]:
    """Every text whose vector `fit` may ask for, besides the answer's."""
    return (*KINDS.values(), *filter(None, [noun_asked_for(question)]))


def fit(question: str, answer: str, vectors: Vectorizer) -> float | None:
    """How well a short answer is of the kind asked for, in [-1, 1]; None where form tells nothing.

    WRONG and RIGHT where the form decides; of a phrase, by how much its cosine to the
    kind asked for is above that to any other kind of phrase.
    """
    if asks_yes_or_no(question):
        return RIGHT if "assent" in forms_of(answer, question) else None
    forms = forms_of(answer, question)
    ask = _ask_of(question)
    if ask is None or not forms:
        return None
    allowed, kind = ask
    noun = noun_asked_for(question) if "bare" in allowed else ""
    if allowed == _AMOUNT and "time" in forms and not re.search(rf"\b(?:{_UNIT}|times?)\b", question, re.I):
        return WRONG  # "Forty minutes." to "How many seats?"
    kinds = _kinds_of(noun, vectors) if noun else {kind}
    if forms & (allowed | kinds) - {"phrase"}:
        return RIGHT
    if _ELSEWHERE.search(answer) and not allowed & {"manner", "place"}:
        return WRONG
    if not kind or not forms & ({"phrase", "place", "manner"} if noun else {"phrase"}):
        return WRONG
    if noun and words_of(noun).stems & words_of(answer).stems:
        return SHARED
    return _nearness(answer, noun or KINDS[kind], kinds, vectors)


def fits_without_content(question: str, answer: str) -> bool:
    """Whether an answer of small words alone ("Nobody.", "Never.", "Here.") is of the kind asked for."""
    ask = _ask_of(question)
    return ask is not None and is_short(answer, 0) and bool(ask[0] & forms_of(answer, question))


def _ask_of(question: str) -> tuple[set[str], str] | None:
    return next(((allowed, kind) for asks, allowed, kind in ASKS if asks.search(question)), None)


def _nearness(answer: str, wanted: str, kinds: set[str], vectors: Vectorizer) -> float:
    names = [name for name in PHRASES if name not in kinds]
    said, target, *others = vectors.of([answer, wanted, *(KINDS[name] for name in names)])
    return float(said @ target) - max((float(said @ other) for other in others), default=0.0)


def _kinds_of(noun: str, vectors: Vectorizer) -> set[str]:
    """The kinds that a noun is near to."""
    said, *kinds = vectors.of([noun, *KINDS.values()])
    near = {name: float(said @ kind) for name, kind in zip(KINDS, kinds, strict=True)}
    return {name for name, value in near.items() if value >= max(NEAR, max(near.values()) - SLACK)}


def forms_of(answer: str, question: str = "") -> frozenset[str]:
    """The forms of a short answer; empty for a clause, which says more than a form tells."""
    plain = _TRAILS.sub("", _LEADS.sub("", answer))
    forms = {form for form, pattern in _COMPILED.items() if pattern.search(plain)}
    if "pronoun" in forms:
        return frozenset(forms)
    if _CLAUSE.search(plain):
        return frozenset()
    preposition = _PREPOSITION.search(plain)
    words = words_of(plain)
    if "time" in forms:
        forms -= {"place", "manner", "reason"} if not plain.lower().startswith("since") else {"place", "manner"}
    elif "number" in forms:
        forms -= {"place", "manner", "reason"}
        forms |= {"phrase"} if set(words.content) - words.numbers else set()  # "Two brothers from Lyon."
    elif preposition and re.search(rf"\b{preposition.group(1)}\b", question, re.I):
        forms = forms - {"place", "manner", "reason"} | {"phrase"}  # "To whom?" "To the board."
    elif not preposition and not forms & {"place", "reason"} and words.content:
        forms.add("phrase")
    return frozenset(forms or {"other"})


def noun_asked_for(question: str) -> str:
    """The noun that "what" or "which" asks for: "which pier do they use" gives "pier"; "" where there is none."""
    for pattern in _NOUNS:
        if found := pattern.search(question):
            return _KIND_OF.sub("", found.group(1).strip())
    return ""
