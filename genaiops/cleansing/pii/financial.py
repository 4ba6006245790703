"""Numbers of cards and accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genaiops.cleansing.pii import checksums
from genaiops.cleansing.pii.spans import Span, named_before

_DIGITS = re.compile(r"(?<![\w.+-])\d(?:[ \u00a0-]?\d){11,18}+(?![\w-]|\.\d)", re.ASCII)
_CARD_NAMES = re.compile(
    r"\bcards?\b|\bvisa\b|master.?card|\bmaestro\b|\bamex\b|american express|\bdiners\b|\bjcb\b|karte|carte"
    r"|tarjeta|carta",
    re.IGNORECASE,
)
# Prefixes that the networks gave out (ISO/IEC 7812 issuer ranges).
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}\Z|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}\Z|3[47]\d{13}\Z"
    r"|3(?:0[0-5]|[689]\d)\d{11}(?:\d{2,5})?\Z|(?:6011|65\d\d|64[4-9]\d|62\d\d)\d{12}(?:\d{3})?\Z"
    r"|35(?:2[89]|[3-8]\d)\d{12}\Z|(?:2131|1800)\d{11}\Z|(?:50|5[6-9]|6\d)\d{10,17}\Z"
)
_GROUPED = re.compile(r"\d{4}([ \u00a0-])\d{4}\1\d{4}\1\d{1,7}\Z|\d{4}([ \u00a0-])\d{6}\2\d{4,5}\Z")


def cards(text: str) -> Iterator[Span]:
    """Payment cards: 12 to 19 digits with a valid Luhn digit, of a range that a network gave out or named as a card.

    Fewer than 14 digits in a row count only beside a word for cards, since many numbers pass a single check digit.
    """
    for match in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if len(set(digits)) == 1 or not checksums.luhn(digits):
            continue
        grouped = len(digits) == len(match[0]) or _GROUPED.match(match[0])
        if (len(digits) >= 14 and grouped and _ISSUED.match(digits)) or named_before(text, match.start(), _CARD_NAMES):
            yield Span(match.start(), match.end())


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,30}+", re.ASCII)


def ibans(text: str) -> Iterator[Span]:
    """International account numbers: the length of their country and the remainder modulo 97."""
    for match in _IBAN.finditer(text):
        for end in _ends(match[0]):
            if checksums.iban(re.sub(r"[ \u00a0-]", "", match[0][:end])):
                yield Span(match.start(), match.start() + end)
                break


def _ends(found: str) -> Iterator[int]:
    """Where an account number may end: words may follow it after one space."""
    yield len(found)
    yield from (at for at in range(len(found) - 1, 14, -1) if found[at] in " \u00a0-")
