"""Telephone numbers: international ones anywhere, national ones by their shape or by a word beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from genaiops.cleansing.pii.spans import Span, named_before

_BEFORE, _BEHIND = r"(?<![\w.,:/@#$€£%&?+(-])", r"(?![\w@%=]|[.,:/-]\d)"
_EXTENSION_FORM = r"(?:[ ,]{0,2}(?:ext\.?|x|#) ?\d{1,6}+)?"
_CANDIDATE = re.compile(
    rf"{_BEFORE}\+?(?:\d{{1,4}}[ \u00a0.-]{{0,2}})?\(\d{{1,5}}\)(?:[ \u00a0"
    rf".\-/]{{0,2}}\d){{4,14}}+{_EXTENSION_FORM}{_BEHIND}"
    rf"|{_BEFORE}\+?\d(?:[ \u00a0.\-/]{{0,2}}\d){{5,16}}+{_EXTENSION_FORM}{_BEHIND}",
    re.ASCII | re.IGNORECASE,
)
_NAMES = re.compile(
    r"\b(?:(?:tele)?phone|contact|tel|telefon|telefono|tel[eé]fono|t[eé]l[eé]phone|t[eé]l|mobile?|m[oó]vil|cellulare"
    r"|cell|celular|"
    r"handy|portable|puhelin|telefoon|hotline|help.?line|fax|call(?:ed|ing|s)?|dial(?:ed|ing)?|ring|whatsapp"
    r"|sms|text(?:ed)?"
    r"|voice.?mail|answer(?:ed|ing)?|reach(?:ed)?|rufen|anrufen|appele[rz]|llam[ae]r?|chiam[ai]\w*)\b|电话|電話|☎|📞",
    re.IGNORECASE,
)
_NAMED_BEHIND = re.compile(
    r"[ \t]{0,2}[-–(]?[ \t]?(?:(?:tele)?phone|fax|mobile|cell|tel|office|voice)\b", re.IGNORECASE
)
_AMERICAN = re.compile(r"(?:\+?1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}(?!\d)")
_TRUNK = re.compile(
    r"\(?0\d{1,4}\)?(?:[ .\-/]\d{2,4}){2,4}\Z|\(0\d{1,4}\) ?\d{3,4}[ -]?\d{3,4}\Z|0\d{2,4}[ /-]\d{3,4}[ -]\d{3,4}\Z"
)
_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:[0-2]?\d|3[01])"
_DATE = re.compile(rf"(?:(?:19|20)\d\d[-./ ]{_MONTH}[-./ ]{_DAY}|{_DAY}[-./ ]{_DAY}[-./ ](?:19|20)?\d\d)(?!\d)")
_AMOUNT = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z|\d{1,2}\.\d+\Z")
_EXTENSION = re.compile(r"[ ,]{0,2}(?:ext\.?|x|#) ?\d+\Z", re.IGNORECASE)
_PLACES = (
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "CH",
    "AT",
    "BE",
    "SE",
    "NO",
    "DK",
    "FI",
    "PL",
    "AU",
    "IN",
    "BR",
    "JP",
)


def phone_finder(regions: Sequence[str]) -> Callable[[str], Iterator[Span]]:
    """A finder that also takes every number that is valid in one of `regions` (ISO 3166, two letters)."""

    def find(text: str) -> Iterator[Span]:
        for match in _CANDIDATE.finditer(text):
            if _is_phone(text, match, regions):
                yield Span(*match.span())

    return find


def _is_phone(text: str, match: re.Match[str], regions: Sequence[str]) -> bool:
    core = _EXTENSION.sub("", match[0])
    count = sum(sign.isdigit() for sign in core)
    if not 6 <= count <= 16 or _DATE.match(core):
        return False
    if core.startswith("+"):
        return _valid(core, ())
    if (core.startswith("00") and count >= 9 and _valid("+" + core[2:], ())) or _valid(core, regions):
        return True
    if named_before(text, match.start(), _NAMES, window=40) or _NAMED_BEHIND.match(text, match.end()):
        return count >= 7 and not _AMOUNT.match(core)
    in_some_plan = _TRUNK.match(core) and 9 <= count <= 11 and _valid(core, _PLACES)
    return bool(_AMERICAN.match(core) or in_some_plan)


def _valid(number: str, regions: Sequence[str]) -> bool:
    """Whether the number plans know it: in one of `regions`, or by its own country code."""
    import phonenumbers

    tried: Sequence[str | None] = (None,) if number.startswith("+") else regions
    for region in tried:
        try:
            parsed = phonenumbers.parse(number.replace("(0)", ""), region)
        except phonenumbers.NumberParseException:
            continue
        # A number with its country code is taken for one as soon as its length is right.
        if phonenumbers.is_valid_number(parsed) or (region is None and phonenumbers.is_possible_number(parsed)):
            return True
    return False
