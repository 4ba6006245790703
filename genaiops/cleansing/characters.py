"""Characters that nobody sees: joiners, tags, direction controls, variation selectors, control characters; white space.

What a script or an emoji needs stays: joiners between letters that take them, selectors behind a symbol, the tags of
a flag, direction controls in a text with letters that run from right to left.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from genaiops.cleansing.rewriting import Replacement

INVISIBLE = "invisible"  # the kind of these edits
FLAG_HIDDEN = "invisible_text"  # text that was written in characters that nobody sees
FLAG_DIRECTION = "direction_override"  # text that is shown in another order than it is read
FLAG_INVISIBLE = "invisible_characters"  # such characters are in the text, and were left there

# C0 but tab, line feed, form feed and carriage return; C1; soft hyphen; fillers; zero-width; controls of direction.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_SEEN = bytes([*range(0x20, 0x7F), *b"\t\n\f\r"])  # what is left of ASCII
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Scripts in which a joiner between two letters changes how they are drawn: Arabic to Khmer, and Mongolian.
_JOINED = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ua840-\ua87f\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U00011fff]"
)
_SYMBOL = re.compile("[\u00a9\u00ae\u0023\u002a\u0030-\u0039\u203c-\u3299\U0001f000-\U0001faff]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_FLAG_TAGS = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f")
_BLACK_FLAG = "\U0001f3f4"
_OVERRIDES = frozenset("\u202d\u202e")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")
_CODED = 8  # zero-width characters in a row that spell something: nobody types so many


class Characters(NamedTuple):
    """What to take out, which flags the document gets, and what the tag characters spell."""

    replacements: list[Replacement]
    flags: tuple[str, ...]
    hidden: str


def invisible(text: str) -> Characters:
    """Every character that nobody sees and no script needs."""
    replacements: list[Replacement] = []
    flags: set[str] = set()
    hidden: list[str] = []
    if text.isascii() and not text.encode().translate(None, _SEEN):
        return Characters([], (), "")
    right_to_left: bool | None = None
    for match in _SUSPECT.finditer(text):
        start, run = match.start(), match[0]
        if right_to_left is None:
            right_to_left = _RIGHT_TO_LEFT.search(text) is not None
        kept = _needed(text, start, run, right_to_left=right_to_left)
        taken = [sign for at, sign in enumerate(run) if at not in kept]
        if not taken:
            continue
        replacements += _without(start, run, kept)
        tags = "".join(chr(ord(sign) - 0xE0000) for sign in taken if "\U000e0020" <= sign <= "\U000e007e")
        hidden.append(tags + _from_selectors(taken))
        if tags or len(taken) >= _CODED:
            flags.add(FLAG_HIDDEN)
        if not _OVERRIDES.isdisjoint(taken):
            flags.add(FLAG_DIRECTION)
    return Characters(replacements, tuple(sorted(flags)), "\n".join(filter(None, hidden)))


def _from_selectors(taken: list[str]) -> str:
    """Bytes that were hidden in variation selectors (256 of them, one for each byte), as text."""
    codes = [ord(sign) for sign in taken]
    found = [
        n - 0xFE00 if n <= 0xFE0F else n - 0xE0100 + 16
        for n in codes
        if 0xFE00 <= n <= 0xFE0F or 0xE0100 <= n <= 0xE01EF
    ]
    return bytes(found).decode("utf-8", "ignore") if len(found) >= _CODED else ""


def _without(start: int, run: str, kept: set[int]) -> list[Replacement]:
    """One replacement for each stretch of the run that goes."""
    result: list[Replacement] = []
    at = 0
    while at < len(run):
        end = at
        while end < len(run) and end not in kept:
            end += 1
        if end > at:
            result.append(Replacement(start + at, start + end, "", INVISIBLE))
        at = end + 1
    return result


def _needed(text: str, start: int, run: str, *, right_to_left: bool) -> set[int]:
    """Which characters of the run (places in it) belong to what is seen before and behind it."""
    before = text[start - 1] if start else ""
    behind = text[start + len(run) : start + len(run) + 1]
    if before == _BLACK_FLAG and (flag := _FLAG_TAGS.match(run)):
        return set(range(flag.end()))
    needed = {
        at for at, sign in enumerate(run[:2]) if sign in _JOINERS and len(run) - at <= 2 and _joins(before, behind)
    }
    if _selects(before, run[0]) or (len(run) == 1 and run == "\u200b" and _both_joined(before, behind)):
        needed.add(0)
    if right_to_left:
        needed |= {at for at, sign in enumerate(run) if sign in _DIRECTION}
    return needed


def _selects(before: str, sign: str) -> bool:
    """Whether a variation selector stands behind a character that has variants."""
    if "\ufe00" <= sign <= "\ufe0f":
        return any(kind.match(before) for kind in (_SYMBOL, _HAN, _JOINED))
    if "\U000e0100" <= sign <= "\U000e01ef":
        return _HAN.match(before) is not None
    return "\u180b" <= sign <= "\u180f" and "\u1800" <= before <= "\u18af"


def _both_joined(before: str, behind: str) -> bool:
    """Where Thai or Khmer words end, which are written without spaces."""
    return _JOINED.match(before) is not None and _JOINED.match(behind) is not None


def _joins(before: str, behind: str) -> bool:
    """Whether a joiner stands behind a letter that takes one, or between two emoji."""
    emoji = _SYMBOL.match(before) and _SYMBOL.match(behind) and before > "\u2000"
    return _JOINED.match(before) is not None or bool(emoji)


_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_END = re.compile(r"(?<![ \t])[ \t]++(?=\n|\Z)")
_EMPTY_LINES = re.compile(r"\n{3,}+")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


def white_space(text: str) -> list[Replacement]:
    """One kind of space, none at the ends of lines, at most one empty line in a row; code between fences stays.

    Two spaces at the end of a line, which break it in Markdown, stay two.
    """
    fences = [match.start() for match in _FENCE.finditer(text)]
    code = [(start, end) for start, end in zip(fences[::2], [*fences[1::2], len(text)], strict=False)]
    found = [Replacement(m.start(), m.end(), " ", "whitespace") for m in _SPACES.finditer(text)]
    for match in _LINE_END.finditer(text):
        breaks = (
            match[0].startswith("  ")
            and match.start() > 0
            and text[match.start() - 1] != "\n"
            and match.end() < len(text)
        )
        if not (breaks and match[0] == "  "):
            found.append(Replacement(match.start(), match.end(), "  " if breaks else "", "whitespace"))
    found += (Replacement(m.start() + 2, m.end(), "", "whitespace") for m in _EMPTY_LINES.finditer(text))
    return _outside(sorted(found), code)


def _outside(found: list[Replacement], code: list[tuple[int, int]]) -> list[Replacement]:
    """Without what lies in `code` and what overlaps the one before."""
    result: list[Replacement] = []
    at = 0
    for item in found:
        while at < len(code) and code[at][1] <= item.start:
            at += 1
        in_code = at < len(code) and code[at][0] < item.end
        if not in_code and not (result and result[-1].end > item.start):
            result.append(item)
    return result
