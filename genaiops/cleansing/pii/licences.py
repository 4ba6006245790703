"""Numbers that only a word beside them tells: driving licences, passports; and strings that look like keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genaiops.cleansing.pii.spans import Span
from genaiops.cleansing.secret_scan import entropy

_BETWEEN = r"(?:(?:\s{0,3}+(?:number|no\.?|nr\.?|num(?:é|e)ro|card|id|is|was|[#:=№]))){0,4}+[\s:]{0,3}+"
_LICENCE = re.compile(
    rf"driv(?:er(?:['’]?s)?|ing)[ -]licen[cs]e{_BETWEEN}([A-Z0-9](?:[ -]?[A-Z0-9]){{4,17}}+)(?![\w-])", re.IGNORECASE
)
_PASSPORT = re.compile(rf"passport{_BETWEEN}([A-Z]{{0,3}}+\d{{6,9}}+[A-Z]?|[A-Z0-9]{{8,9}}+)(?![\w-])", re.IGNORECASE)


def driver_licences(text: str) -> Iterator[Span]:
    """Numbers of driving licences, told by the words before them: every country writes them in its own way."""
    yield from (Span(*match.span(1)) for match in _LICENCE.finditer(text) if _has_digits(match[1], 4))


def passports(text: str) -> Iterator[Span]:
    """Numbers of passports, told by the word before them."""
    yield from (Span(*match.span(1)) for match in _PASSPORT.finditer(text) if _has_digits(match[1], 4))


def _has_digits(text: str, least: int) -> bool:
    return sum(sign.isdigit() for sign in text) >= least


_LONG = re.compile(r"(?<![\w/+.=-])[A-Za-z0-9_+/-]{24,512}+={0,2}(?![\w/+.-])", re.ASCII)
_UUID = re.compile(r"(?:%2F)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)  # an id, and no secret
_KEY_BITS = 3.5  # bits per character; English words joined by hyphens stay below, random base64 above


def keys(text: str) -> Iterator[Span]:
    """Long strings without a word in them: digests, tokens, opaque ids. What is surely a secret is refused before."""
    for match in _LONG.finditer(text):
        found = _UUID.sub("", match[0].rstrip("="))
        if len(found) >= 24 and _has_digits(found, 4) and entropy(found) >= _KEY_BITS and not _of_words(found):
            yield Span(match.start(), match.end())


def _of_words(text: str) -> bool:
    """Whether most of it is words of letters, or numbers, between separators: paths and names of things."""
    parts = re.split(r"[-_/+]|(?<=[a-z])(?=[A-Z])", text)
    worded = sum(
        len(part) for part in parts if (part.isalpha() and len(part) >= 3) or (part.isdigit() and len(part) <= 4)
    )
    return worded >= len(text) / 2
