"""Makes claims with evidence that supports, contradicts or lacks them, out of plain documents.

A true claim is a sentence shortened, reworded, reordered or joined with its neighbour. A false one is the same
with one thing turned round, and in half of the cases the evidence is altered instead of the claim, so that
nothing in the claim alone tells which it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.judges.lexicon import DAYS, MONTHS, quantifier_swaps, tables
from genaiops.evaluation.judges.sentences import Sentence

SUPPORTED, CONTRADICTED, ABSENT = range(3)
ALIKE, OPPOSITE = tables()
SWAPS = quantifier_swaps()
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])")
NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][A-Za-z0-9'-]+)(?: [A-Z][A-Za-z0-9'-]+)*")
AUXILIARY = re.compile(r"\b(is|are|was|were|can|will|has|have|had|does|did|could|should|would|may|must)\b(?!\s+not\b|n't)")
NEGATION = re.compile(r"\s+(?:not|never)\b|n['’]t\b|\s+no\b(?= [a-z])")
PREPOSITION = re.compile(
    r",? (?:in|on|at|by|with|for|from|during|after|before|since|until|through|across|within|under|among|between|"
    r"including|such as|because of|as well as|due to|based on|according to|along with|like|without|near) "
    r"[^,.;:()]{3,45}?(?=,| (?:in|on|at|by|with|for|from|during|after|before|since|and|to|is|are|was|were|that|which)\b|[.;]?$)"
)
CLAUSE = re.compile(r", (?:which|who|where|and|but|while|so|because|including|such as|although)? ?[^,;]{8,70}(?=,|[.;]?$)")
PARENTHESIS = re.compile(r" ?\([^()]{2,60}\)")
COORDINATE = re.compile(r",? (?:and|or) [A-Za-z'-]+(?: [a-z'-]+)?(?=,| (?:in|on|at|by|with|for|from|to|is|are|was|were|that)\b|[.;]?$)")
VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|can|could|will|would|should|may|must|did|does|do|[a-z]{3,}(?:ed|es|s))\b")


@dataclass(frozen=True, slots=True)
class Made:
    """A claim, its evidence, and SUPPORTED, CONTRADICTED or ABSENT."""

    claim: str
    evidence: str
    label: int


# --- single words ----------------------------------------------------------------


def _replaced(text: str, match: re.Match[str], new: str) -> str:
    old = match.group()
    if old[:1].isupper() and new[:1].islower():
        new = new[:1].upper() + new[1:]
    return text[: match.start()] + new + text[match.end() :]


def reworded(text: str, rng: random.Random, most: int = 3) -> str:
    """The text with up to `most` words replaced by words of the same side."""
    for _ in range(rng.randint(1, most)):
        places = [m for m in WORD.finditer(text) if ALIKE.get(m.group().lower()) and not m.group()[1:].isupper()]
        if not places:
            return text
        place = rng.choice(places)
        text = _replaced(text, place, rng.choice(sorted(ALIKE[place.group().lower()])))
    return text


def reversed_word(text: str, rng: random.Random) -> str | None:
    """One word replaced by one that says the opposite."""
    places = [m for m in WORD.finditer(text) if OPPOSITE.get(m.group().lower())]
    if not places:
        return None
    place = rng.choice(places)
    return _replaced(text, place, rng.choice(sorted(OPPOSITE[place.group().lower()])))


def requantified(text: str, rng: random.Random) -> str | None:
    """One quantifier or modal verb replaced by one that says more or less."""
    found = []
    for one, other in SWAPS:
        for old, new in ((one, other), (other, one)):
            found += [(m, new) for m in re.finditer(rf"\b{re.escape(old)}\b", text)]
    if not found:
        return None
    match, new = rng.choice(found)
    return _replaced(text, match, new)


def negated(text: str, rng: random.Random) -> str | None:
    """A negation taken out, or put in."""
    if found := NEGATION.search(text):
        return text[: found.start()] + text[found.end() :]
    if auxiliary := AUXILIARY.search(text):
        word = rng.choice((" not", " not", " never"))
        return f"{text[: auxiliary.end()]}{word}{text[auxiliary.end() :]}"
    for match in WORD.finditer(text):  # increases: does not increase; reduced: did not reduce
        word = match.group()
        if word in OPPOSITE and len(word) > 5:
            if word.endswith("es") and word[:-1] in OPPOSITE:
                return text[: match.start()] + "does not " + word[:-1] + text[match.end() :]
            if word.endswith("ed"):
                for base in (word[:-1], word[:-2]):
                    if base in OPPOSITE:
                        return text[: match.start()] + "did not " + base + text[match.end() :]
    return None


def renumbered(text: str, rng: random.Random) -> str | None:
    """One number, month or day replaced by another."""
    places = list(NUMBER.finditer(text))
    calendar = [m for m in WORD.finditer(text) if m.group() in MONTHS or m.group() in DAYS]
    if not places and not calendar:
        return None
    place = rng.choice(places + calendar)
    old = place.group()
    if old in MONTHS or old in DAYS:
        return _replaced(text, place, rng.choice([w for w in (MONTHS if old in MONTHS else DAYS) if w != old]))
    if "." in old:
        value = float(old.replace(",", ""))
        new = f"{max(0.1, value * rng.choice((0.3, 0.5, 0.8, 1.3, 2, 4))):.{len(old.split('.')[1])}f}"
    else:
        value = int(old.replace(",", ""))
        if 1500 < value < 2100 and "," not in old:
            new = str(value + rng.choice((-40, -12, -5, -3, -2, -1, 1, 2, 3, 6, 11, 30)))
        else:
            new = str(max(0, rng.choice((value + rng.randint(1, 9), value * 2, value * 10, value // 2, value - 1))))
            new = f"{int(new):,}" if "," in old else new
    return _replaced(text, place, new) if new != old else None


def renamed(text: str, rng: random.Random, names: Sequence[str]) -> str | None:
    """One name replaced by another of the same document."""
    places = list(NAME.finditer(text))
    if not places:
        return None
    place = rng.choice(places)
    old = place.group()
    others = [n for n in names if n not in text and old not in n and n.count(" ") == old.count(" ")]
    others = others or [n for n in names if n not in text and old not in n]
    return text[: place.start()] + rng.choice(others) + text[place.end() :] if others else None


def roles_swapped(text: str, rng: random.Random) -> str | None:
    """Two names, or what stands before and after a verb, change places."""
    names = list(NAME.finditer(text))
    first = re.match(r"[A-Z][A-Za-z0-9'-]+(?: [A-Z][A-Za-z0-9'-]+)*", text)
    if first and first.group().split()[0].lower() not in ("the", "a", "an", "in", "on", "this", "it", "if", "for"):
        names = [first, *names]
    pairs = [(a, b) for a in names for b in names if a.end() < b.start() and a.group() != b.group()]
    pairs = [(a, b) for a, b in pairs if not re.fullmatch(r",? (?:and|or),? ", text[a.end() : b.start()])]
    if not pairs:
        return None
    one, other = rng.choice(pairs)
    return text[: one.start()] + other.group() + text[one.end() : other.start()] + one.group() + text[other.end() :]


# --- phrases ---------------------------------------------------------------------


def shortened(text: str, rng: random.Random, most: int = 2) -> str | None:
    """The text without one or two of its phrases; None where it has none to lose."""
    done = text
    for _ in range(rng.randint(1, most)):
        pattern = rng.choice((PREPOSITION, PREPOSITION, CLAUSE, PARENTHESIS, COORDINATE))
        places = [m for m in pattern.finditer(done) if m.start() > 12 and not re.search(r"\b(?:not|no|never)\b", m.group())]
        if places:
            place = rng.choice(places)
            done = done[: place.start()] + done[place.end() :]
    return done if done != text and len(done) > 25 else None


def reordered(text: str) -> str | None:
    """"In 1990, he left." as "He left in 1990."."""
    found = re.fullmatch(r"((?:In|On|At|By|For|During|After|Before|Since|When|If|Although|While|Because|With) [^,]{3,60}), (.{15,}?)\.?", text)
    if not found:
        return None
    front, rest = found[1], found[2]
    if re.match(r"[A-Z][a-z]+\b", rest) is None:
        rest = rest[:1].upper() + rest[1:]
    return f"{rest} {front[:1].lower()}{front[1:]}."


def joined(one: str, other: str, rng: random.Random) -> str:
    """Two sentences as one."""
    middle = rng.choice((", and ", "; ", ", while ", ". "))
    tail = other if middle == ". " or re.match(r"[A-Z][a-z]*[A-Z]|[A-Z]\w+ [A-Z]", other) else other[:1].lower() + other[1:]
    return one.rstrip(" .") + middle + tail


def pronominal(text: str, rng: random.Random) -> str:
    """A name at the start replaced by a pronoun."""
    found = re.match(r"(?:[A-Z][a-z]+ )?[A-Z][a-z]+ (?=(?:is|was|has|had|were|are|[a-z]+(?:ed|s)) )", text)
    return rng.choice(("He ", "She ", "It ", "They ")) + text[found.end() :] if found else text


def told(text: str, rng: random.Random) -> str:
    """A true claim: the sentence shortened, reworded, reordered or as it is."""
    if rng.random() < 0.5:
        text = shortened(text, rng) or text
    if rng.random() < 0.25:
        text = reordered(text) or text
    if rng.random() < 0.65:
        text = reworded(text, rng)
    if rng.random() < 0.15:
        text = pronominal(text, rng)
    if rng.random() < 0.08:
        text = rng.choice(("Yes, ", "According to the text, ", "I think ", "Note that ", "Overall, ")) + text
    if rng.random() < 0.12:
        text = text.lower() if rng.random() < 0.4 else text.rstrip(".")
    return text


def twisted(text: str, rng: random.Random, names: Sequence[str]) -> str | None:
    """The sentence with one thing turned round; None where nothing can be."""
    makers: list[tuple[float, Callable[[], str | None]]] = [
        (3.0, lambda: reversed_word(text, rng)),
        (1.6, lambda: negated(text, rng)),
        (1.6, lambda: renumbered(text, rng)),
        (1.6, lambda: renamed(text, rng, names)),
        (0.7, lambda: requantified(text, rng)),
        (0.6, lambda: roles_swapped(text, rng)),
    ]
    order = sorted(makers, key=lambda maker: rng.random() ** (1 / maker[0]), reverse=True)
    return next((new for _, make in order if (new := make()) and new != text), None)


# --- examples --------------------------------------------------------------------


def examples_of(sentences: Sequence[Sentence], rng: random.Random, share: float = 1.0) -> Iterator[Made]:
    """Examples from one document, given as its sentences in order; `share` of them are used."""
    usable = [i for i, s in enumerate(sentences) if 5 <= len(s.words.content) <= 32 and len(s.text) <= 260]
    names = sorted({m.group() for s in sentences for m in NAME.finditer(s.text)})
    for place in usable:
        if rng.random() < share:
            yield from _around(sentences, place, usable, names, rng)


def _around(
    sentences: Sequence[Sentence], place: int, usable: Sequence[int], names: Sequence[str], rng: random.Random
) -> Iterator[Made]:
    text = sentences[place].text
    before, after = _neighbours(sentences, place, rng)
    window = [*before, text, *after]
    here = len(before)

    def with_instead(new: str) -> str:
        return " ".join([*window[:here], new, *window[here + 1 :]])

    whole = " ".join(window)
    claim = told(text, rng)
    yield Made(claim, whole, SUPPORTED)
    for wrong in sorted({twisted(text, rng, names) or "", twisted(text, rng, names) or ""} - {""}):
        if rng.random() < 0.5:
            yield Made(told(wrong, rng), whole, CONTRADICTED)
        else:
            yield Made(told(text, rng), with_instead(wrong), CONTRADICTED)
            yield Made(told(wrong, rng), with_instead(wrong), SUPPORTED)
    if rng.random() < 0.6 and (short := shortened(text, rng)):
        mine = reworded(text, rng) if rng.random() < 0.5 else text
        yield Made(mine, with_instead(short), ABSENT)
    other = _similar(sentences, place, usable, rng)
    if other is not None and rng.random() < 0.7:
        left, right = _neighbours(sentences, other, rng, without=place)
        yield Made(told(text, rng), " ".join([*left, sentences[other].text, *right]), ABSENT)
    if rng.random() < 0.35:
        yield from _fused(text, window, here, whole, [sentences[i].text for i in usable], rng)


def _fused(
    text: str, window: Sequence[str], here: int, whole: str, others: Sequence[str], rng: random.Random
) -> Iterator[Made]:
    """Two sentences of the evidence as one claim: supported; one of them from elsewhere: not."""
    neighbours = [w for i, w in enumerate(window) if i != here and 25 < len(w) < 160]
    if neighbours and rng.random() < 0.5:
        yield Made(joined(told(text, rng), told(rng.choice(neighbours), rng), rng), whole, SUPPORTED)
    foreign = rng.choice(others)
    if foreign not in whole and len(foreign) < 160:
        pair = [told(text, rng), told(foreign, rng)]
        rng.shuffle(pair)
        yield Made(joined(*pair, rng), whole, ABSENT)


def _neighbours(
    sentences: Sequence[Sentence], place: int, rng: random.Random, without: int = -1
) -> tuple[list[str], list[str]]:
    left, right = rng.choice(((0, 0), (0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2)))
    context = sentences[place].context

    def kept(numbers: range) -> list[str]:
        inside = [i for i in numbers if 0 <= i < len(sentences) and i != without and sentences[i].context == context]
        return [sentences[i].text[:300] for i in inside]

    return kept(range(place - left, place)), kept(range(place + 1, place + 1 + right))


def _similar(sentences: Sequence[Sentence], place: int, usable: Sequence[int], rng: random.Random) -> int | None:
    """Another sentence of the document with many of the same words, but not nearly all."""
    stems = sentences[place].words.stems
    pool = rng.sample(usable, min(len(usable), 150))
    scored = [(len(stems & sentences[i].words.stems) / len(stems), i) for i in pool if i != place]
    scored = sorted((pair for pair in scored if pair[0] < 0.6 and sentences[pair[1]].text != sentences[place].text), reverse=True)
    return rng.choice(scored[:3])[1] if scored else None
