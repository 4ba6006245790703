"""Every kind of personal data that rules can find, and the redactor that replaces it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from genaiops.cleansing.pii.contacts import emails, ip_addresses, urls
from genaiops.cleansing.pii.financial import cards, ibans
from genaiops.cleansing.pii.licences import driver_licences, keys, passports
from genaiops.cleansing.pii.national_ids import NATIONAL_IDS
from genaiops.cleansing.pii.phones import phone_finder
from genaiops.cleansing.pii.spans import Span
from genaiops.cleansing.rewriting import Replacement
from genaiops.cleansing.settings import PiiSettings
from genaiops.errors import ConfigurationError

Finder = Callable[[str], Iterator[Span]]


def national_ids(text: str) -> Iterator[Span]:
    """Numbers of every country in NATIONAL_IDS."""
    if _DIGITS.search(text):
        for find in NATIONAL_IDS.values():
            yield from find(text)


# Every one of them has two digits in a row, or signs between single ones.
_DIGITS = re.compile(r"\d[ ./-]?\d")


# In this order one kind goes before another where both found something: what a checksum proves comes first.
KINDS: Mapping[str, Finder] = {
    "email": emails,
    "url": urls,
    "iban": ibans,
    "card": cards,
    "national_id": national_ids,
    **NATIONAL_IDS,
    "driver_licence": driver_licences,
    "passport": passports,
    "ip": ip_addresses,
    "phone": phone_finder(()),
    "key": keys,
}


class Found(NamedTuple):
    """`[start, end)` of a text holds personal data of a kind."""

    start: int
    end: int
    kind: str


class Recogniser(Protocol):
    """Finds what rules cannot: names, places."""

    def find(self, text: str) -> Iterable[Found]: ...


class Redactor:
    """Replaces what it finds. It keeps nothing of what it replaced."""

    def __init__(self, finders: Mapping[str, Finder], *, numbered: bool, recogniser: Recogniser | None = None) -> None:
        self._finders = finders
        self._numbered = numbered
        self._recogniser = recogniser

    def find(self, text: str) -> list[Found]:
        """What is found, in order and not overlapping; of two that overlap, the kind that comes first in KINDS."""
        taken: list[Found] = []
        for kind, finder in self._finders.items():
            taken = _merged(taken, sorted(Found(start, end, kind) for start, end in finder(text)))
        if self._recogniser is not None:
            taken = _merged(taken, sorted(self._recogniser.find(text)))
        return taken

    def replacements(self, text: str, numbers: dict[tuple[str, str], int] | None = None) -> list[Replacement]:
        """What to put where. `numbers` carries the numbering from one text of a document to its next."""
        numbers = {} if numbers is None else numbers
        return [
            Replacement(start, end, self._label(kind, text[start:end], numbers), f"redacted:{kind}")
            for start, end, kind in self.find(text)
        ]

    def _label(self, kind: str, value: str, numbers: dict[tuple[str, str], int]) -> str:
        if not self._numbered:
            return f"[{kind.upper()}]"
        same = re.sub(r"[\s.\-/()]", "", value).casefold() if kind != "email" else value.casefold()
        known = sum(name == kind for name, _ in numbers)
        return f"[{kind.upper()}_{numbers.setdefault((kind, same), known + 1)}]"


def redactor_for(kinds: Sequence[str], settings: PiiSettings) -> Redactor:
    """A redactor of these kinds. ConfigurationError for one that nobody knows, or an engine that is not installed."""
    for kind in kinds:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            raise ConfigurationError(
                f"no PII kind {kind!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
                where="documents.redact",
                remedy=f"kinds are {', '.join(KINDS)}; names and places need cleansing.pii.engine: presidio",
            )
    finders = {kind: KINDS[kind] for kind in KINDS if kind in kinds}
    if "phone" in finders:
        # Digits inside an account or card number are no telephone number, whether or not those are redacted too.
        numbers = [KINDS[kind] for kind in ("iban", "card") if kind not in kinds]
        finders["phone"] = _outside(phone_finder(settings.regions), numbers)
    recogniser = None
    if settings.engine == "presidio":
        from genaiops.cleansing.pii.presidio import PresidioRecogniser

        recogniser = PresidioRecogniser(settings)
    return Redactor(finders, numbered=settings.replacement == "numbered", recogniser=recogniser)


def _outside(finder: Finder, others: Sequence[Finder]) -> Finder:
    """What `finder` finds and none of `others` has a part of."""

    def find(text: str) -> Iterator[Span]:
        found = list(finder(text))
        taken = [span for other in others for span in other(text)] if found else []
        return (span for span in found if not any(a < span[1] and span[0] < b for a, b in taken))

    return find


def _merged(taken: Sequence[Found], more: Iterable[Found]) -> list[Found]:
    """`taken`, and of `more` what overlaps none of it; both in order."""
    result: list[Found] = []
    waiting = list(taken)
    at = 0
    for item in more:
        while at < len(waiting) and waiting[at].end <= item.start:
            result.append(waiting[at])
            at += 1
        blocked = at < len(waiting) and waiting[at].start < item.end
        if not blocked and not (result and result[-1].end > item.start):
            result.append(item)
    return result + waiting[at:]
