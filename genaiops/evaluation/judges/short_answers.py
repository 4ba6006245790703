"""Short answers: is an answer of a few words of the kind that its question asks for?

"North pier." is far from "Where do the tugs lie?" in meaning, and all that was asked for.
The question word says which forms its answer may have, and the answer's own figures and
small words say which form it has. A phrase without any ("The plumber.", "The attic.") may
name a person, a place or a thing: there the embedder tells what it is nearest to.
Nothing here says that an answer is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from genaiops.evaluation.judges.evasion import AUXILIARY, asks_yes_or_no
from genaiops.evaluation.judges.sentences import Vectorizer
from genaiops.evaluation.judges.words import SMALL_NUMBERS, TOKEN, words_of

MOST_WORDS = 8  # of a short answer, small words among them
MOST_CONTENT = 4  # content words of a short answer
# What the form says, on the scale of a phrase's nearness (a difference of cosines, see _nearness).
WRONG, NAMED, RIGHT, SHARED = -1.0, 0.0, 0.05, 0.15  # SHARED: "North pier." holds the noun of "Which pier?"
NEAR, SLACK = 0.18, 0.08  # cosines: a noun is of every kind so near to it, and at most so much less than the nearest

# What a phrase, and the noun after "which", is compared with.
PROTOTYPES: Final = {
    "person": "a person, a team or a company",
    "place": "a place, a town or a room",
    "thing": "a thing or a material",
    "time": "a time, a date or a day",
    "number": "a number, an amount or a price",
}
FORMLESS: Final = ("person", "place", "thing")  # the kinds that no form tells apart

_AUXILIARY = AUXILIARY.replace("may", "(?-i:may)")  # not the month
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
        rf"(?:{_COUNT}|zero|twice|half|a (?:third|quarter)|dozens?|(?:hundred|thousand|[mb]illion)s?|none|nothing|"
        r"no (?=\w)|many|few|several|all|most)\b"
    ),
    "time": (
        r"^\W*(?:(?:shortly|right|only|not|just) )*(?:since|until|till|before|after|during|when(?:ever)?|while|every|"
        r"each|once|always|never|as soon as|now)\b|"
        rf"\b{_TIMES}(?:,? (?:at )?{_COUNT})?\W*$|\b(?:at|past|by|until|from) {_COUNT}\W*$|\d ?[ap]\.?m\b|"
        rf"\b\d\d?:\d\d\b|\b\d+[-/.]\d+[-/.]\d+\b|^\W*(?:(?:in|by|around|about) )?[12]\d{{3}}\W*$"
    ),
    "place": (
        r"^\W*(?:(?:right|just|directly|out|over|up|down) )*(?:in|on|at|near|behind|beside|below|above|under|inside|"
        r"outside|between|next to|opposite|along|across|around|through|by (?:the|an?|my|our)|to|from|into|beneath)\b|"
        r"^\W*(?:(?:over )?(?:here|there)|(?:every|no|any)where|(?:up|down)stairs|indoors|outdoors|abroad|online)\b|"
        r"\w*/\w+/\w"
    ),
    "reason": r"^\W*(?:because|due|owing|so|for|to|thanks)\b",
    "manner": (
        r"^\W*(?:by|with|without|via|through|using|on|over|per|as|from|(?-i:[Ii]n (?:the )?(?![A-Z][a-z])))\b"
        r"|\w{3}ly\b|^\W*online\b"
    ),
    "assent": r"^\W*(?:yes|no|only|not|never|always|sometimes|usually|partly|mostly|rarely|often)\b",
    "pronoun": (
        r"^\W*(?:(?:all|both|none|neither|either|most|some|each|one)(?: of (?:them|these|those|us|you))?|"
        r"(?:every|any|no)(?:one|body|thing| one)|i|me|you|we|us|they|them|he|him|she|her)\W*$"
    ),
    "possessive": r"\w(?:['’]s|s['’])\W*$|^\W*(?:mine|ours|yours|hers|his|theirs)\W*$",
    "bare": rf"^\W*{_COUNT}\W*$",  # a number may be a name: room 12, version 3.1
}
_COMPILED: Final = {form: re.compile(pattern, re.I) for form, pattern in _FORMS.items()}
_LEADS = re.compile(r"^\W*(?:it|that|this|they|these|those|he|she)(?:['’](?:s|re)| is| are| was| were)\s+", re.I)
_TRAILS = re.compile(rf"(?<=\w)\s+(?:{_AUXILIARY})(?=\W*$)", re.I)
_CLAUSE = re.compile(rf"\b(?:{_AUXILIARY}|(?-i:I)|we|you|it|they|he|she)\b|n['’]t\b|['’](?:re|ve|ll|m)\b", re.I)
_SUBORDINATE = re.compile(r"^\W*(?:because|when|whenever|before|after|until|as soon as|by|so)\b", re.I)
_OF_TIME = re.compile(rf"\b(?:{_UNIT}|times?)\b", re.I)
_PREPOSITION = re.compile(r"^\W*(by|with|without|via|through|using|per|over|as|from|of|in|on|at|to|for|under)\s+", re.I)
_AFTER_NOUN = "of|in|on|at|for|to|from|with|by|per|after|before|under|between|during|if|when"
_NOUNS: Final = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:what|which) ((?:(?!(?:{_AUXILIARY}|if|when|I|you)\b)[\w’'-]+ ){{1,5}})(?=(?:{_AUXILIARY})\b)",
        r"\bwhich (?:of (?:the|these|those) )?([\w’'-]+)",
        rf"\bwhat(?:['’]s| is| are| was| were) (?:the|an?|your|our|its|their|his|her) "
        rf"((?:(?!(?:{_AFTER_NOUN})\b)[\w’'-]+ ?){{1,3}}?)(?=(?<= )(?:{_AFTER_NOUN}) \w|\W*$)",
    )
)
_QUANTIFIER = re.compile(r"^\W*(?:no|all|most|many|few|several)\b", re.I)
_NAME = re.compile(r"^\W*(?:[A-Z][\w’'.-]*\s+){1,3}[A-Z][\w’'-]*\W*$")  # Green Bay
_ELSEWHERE = re.compile(r"^\W*(?:please )?(?:see|ask|consult|contact|refer|check|look)\b", re.I)
_KIND_OF = re.compile(r"^(?:kind|type|sort|form)s? of |^of (?:the|these|those) ", re.I)

# Amounts by what they measure. A bare number, and a unit in no list, may be of any kind.
_AMOUNTS: Final = {
    kind: re.compile(pattern, re.I)
    for kind, pattern in {
        "money": rf"[$€£¥] ?\d|{_COUNT} ?(?:[$€£¥]|(?:euros?|dollars?|pounds?|cents?|pence|francs?|eur|usd|gbp|chf)\b)",
        "length": (
            rf"{_COUNT}[ -]?(?:hundred |thousand )?(?:[ckm]m|(?:centi|milli|kilo)?met(?:er|re)s?|miles?|inch(?:es)?|"
            r"foot|feet|ft|yards?)\b"
        ),
        "time": rf"{_COUNT}[ -]?{_UNIT}\b",
        "other": rf"{_COUNT} ?(?:kg|grams?|kilograms?|tonnes?|tons?|lit(?:er|re)s?|[kmgt]b|°[cf]|degrees)\b",
    }.items()
}
_WANTED: Final = (  # the first whose words occur counts
    (re.compile(r"\bhow (?:often|soon|late|early|old)\b", re.I), frozenset({"time"})),
    (re.compile(r"\bhow (?:long|far)\b", re.I), frozenset({"time", "length"})),
    (re.compile(r"\bhow (?:tall|wide|deep|thick)\b", re.I), frozenset({"length"})),
    (re.compile(r"\bhow much\b.*\bcosts?\b|\bwhat\b.*\bprice\b", re.I), frozenset({"money"})),
)
_BY_AMOUNT = re.compile(r"\b(?:every|each|per|after)\b", re.I)  # "Every 15,000 km." says how often
_LONG = re.compile(r"\bhow long\b", re.I)
LASTS, MEASURES = "how many days, months or years it lasts", "how many metres or miles it measures"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a question asks for: the forms its answer may have, and the kind that a phrase must be near to, if any."""

    question: re.Pattern[str]
    forms: frozenset[str]
    kind: str = ""


def _ask(question: str, forms: str, kind: str = "") -> Ask:
    return Ask(re.compile(rf"\b(?:{question})\b", re.I), frozenset(forms.split()), kind)


POLAR: Final = _ask("", "assent")  # asked without a question word
AMOUNT: Final = _ask(
    "how (?:many|much|big|large|fast|high|tall|wide|deep|heavy|hot|cold|thick)|what (?:number|amount) of", "number"
)
ASKS: Final = (  # the first whose question words occur counts
    _ask("how (?:long|often|far|soon|late|early|old)", "number time"),
    AMOUNT,
    _ask("when|(?:what|which) (?:year|date|day|month|time)s?", "time"),
    _ask("where", "place", "place"),
    _ask("whose", "possessive", "person"),
    _ask("whom?", "pronoun", "person"),
    _ask("why|how come", "reason", "thing"),
    _ask("what|which", "pronoun bare", "thing"),
    _ask("how", "manner", "thing"),
)


def is_short(answer: str, content: int) -> bool:
    """Whether an answer with so many content words is judged by its form."""
    return content <= MOST_CONTENT and len(TOKEN.findall(answer)) <= MOST_WORDS


def texts_for(question: str, answer: str) -> Iterable[str]:
    """Every text whose vector `fit` may ask for."""
    long = (question, LASTS, MEASURES) if _LONG.search(question) else ()
    return (*PROTOTYPES.values(), _bare(answer), *filter(None, [noun_asked_for(question)]), *long)


def fit(question: str, answer: str, vectors: Vectorizer) -> float | None:
    """How well a short answer is of the kind asked for, in [-1, 1]; None where form tells nothing.

    WRONG, RIGHT and SHARED where form decides; of a phrase, by how much its cosine to the
    kind asked for is above that to any other kind.
    """
    ask, forms = _asked(question), forms_of(answer, question)
    if ask is None or not forms or (ask is POLAR and not forms & ask.forms):
        return None
    if ask is AMOUNT and "time" in forms and not _OF_TIME.search(question):
        forms -= {"number"}  # "Forty minutes." to "How many seats?"
    noun = noun_asked_for(question) if "bare" in ask.forms else ""
    kinds = _kinds_of(noun, vectors) if noun else {ask.kind}
    if forms & (ask.forms | kinds):
        return WRONG if ask is not POLAR and _of_another_unit(question, answer, vectors) else RIGHT
    sent_on = _ELSEWHERE.search(answer) and not ask.forms & {"manner", "place"}
    asked, said = words_of(question).stems, words_of(answer).stems
    # Words of the question in it make it a clause of its own: "The crane lifts 20 tonnes."
    wrong = None if asked & said else WRONG
    if not ask.kind or "time" in forms or sent_on:
        return wrong
    if words_of(noun).stems & said:
        return SHARED
    phrase = _bare(answer) if "phrase" in forms else answer
    nearness = _nearness(phrase, noun or PROTOTYPES[ask.kind], _others(ask, kinds), vectors)
    # "Two brothers." says who, and "By the coast." which way; hardly any other number or preposition does.
    counted = "counted" in forms and ask.kind == "person"
    if "phrase" not in forms and not (nearness > RIGHT and (noun or counted)):
        return wrong
    return max(nearness, NAMED) if ask.kind == "person" and _NAME.search(answer) else nearness


def fits_without_content(question: str, answer: str) -> bool:
    """Whether an answer of small words alone ("Nobody.", "Never.", "Here.") is of the kind asked for."""
    ask = _asked(question)
    return ask is not None and is_short(answer, 0) and bool(ask.forms & forms_of(answer, question))


def chooses(question: str, answer: str) -> bool:
    """Whether an answer is one side of an "or" in the question, and not the other."""
    one, found, other = question.rpartition(" or ")
    before, after, said = set(words_of(one).content[-1:]), words_of(other).stems, words_of(answer).stems
    return bool(found) and said <= words_of(question).stems and bool(said & before) != bool(said & after)


def forms_of(answer: str, question: str) -> frozenset[str]:
    """The forms of a short answer; empty for a clause, which says more than its form."""
    plain = _TRAILS.sub("", _LEADS.sub("", answer))
    forms = {form for form, pattern in _COMPILED.items() if pattern.search(plain)}
    if "pronoun" in forms:
        return frozenset(forms)
    if _CLAUSE.search(plain) and not _SUBORDINATE.search(plain):
        return frozenset()
    words, preposition = words_of(plain), _PREPOSITION.search(plain)
    if forms & {"time", "number"}:
        forms -= {"place", "manner", "reason"}
        if "time" not in forms and words.stems - words.numbers:  # "Two brothers from Lyon", "No space left"
            forms.add("phrase" if _QUANTIFIER.search(plain) else "counted")
    elif preposition and re.search(rf"\b{preposition.group(1)}\b", question, re.I):
        return frozenset({"phrase"})  # "To the board." to "To whom?"
    elif words.content and not preposition and not forms & {"place", "reason"}:
        forms.add("phrase")
    return frozenset(forms or {"other"})


def noun_asked_for(question: str) -> str:
    """The noun that "what" or "which" asks for: "which pier do they use" gives "pier"; "" where there is none."""
    for pattern in _NOUNS:
        if found := pattern.search(question):
            return _KIND_OF.sub("", found.group(1).strip()).partition(" of ")[0]
    return ""


def _of_another_unit(question: str, answer: str, vectors: Vectorizer) -> bool:
    """Whether an answer is an amount, and of none of the units asked for: "62 cm." to "How long is the warranty?"."""
    wanted = next((kinds for pattern, kinds in _WANTED if pattern.search(question)), None)
    said = {kind for kind, pattern in _AMOUNTS.items() if pattern.search(answer)}
    if wanted is None or not said or _BY_AMOUNT.search(answer):
        return False
    if said == {"length"} and _LONG.search(question):
        asked, lasts, measures = vectors.of([question, LASTS, MEASURES])
        return float(asked @ lasts) > float(asked @ measures)
    return not said & wanted


def _bare(answer: str) -> str:
    """A phrase without the preposition before it: "To the board." is near to a person as "The board." is."""
    return _PREPOSITION.sub("", answer)


def _asked(question: str) -> Ask | None:
    if asks_yes_or_no(question):
        return POLAR
    return next((ask for ask in ASKS if ask.question.search(question)), None)


def _others(ask: Ask, kinds: set[str]) -> tuple[str, ...]:
    """The kinds that a phrase should be farther from than from the one asked for."""
    if "manner" in ask.forms:
        return ("person",)  # what is to be done may name any place or thing
    # No phrase at all is a price or a deadline.
    return tuple(kind for kind in FORMLESS if kind not in kinds or not kinds <= set(FORMLESS))


def _nearness(phrase: str, wanted: str, others: Iterable[str], vectors: Vectorizer) -> float:
    said, target, *rest = vectors.of([phrase, wanted, *(PROTOTYPES[kind] for kind in others)])
    return float(said @ target) - max((float(said @ other) for other in rest), default=0.0)


def _kinds_of(noun: str, vectors: Vectorizer) -> set[str]:
    """The kinds that a noun is near to; none where it is near to nothing."""
    said, *kinds = vectors.of([noun, *PROTOTYPES.values()])
    near = {name: float(said @ kind) for name, kind in zip(PROTOTYPES, kinds, strict=True)}
    return {name for name, value in near.items() if value >= max(NEAR, max(near.values()) - SLACK)}
