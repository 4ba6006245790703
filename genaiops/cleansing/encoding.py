"""Text that was decoded by the wrong table (`cafÃ©`) becomes what it was. By ftfy, and only where it is sure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from genaiops.cleansing.rewriting import Replacement

ENCODING = "encoding"  # the kind of these edits
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")
_FENCE = re.compile(r"[ \t]*+(?:```|~~~)")
_CODE = re.compile(r"`[^`\n]{1,200}`")
_LONGEST_ALIGNED = 4_000  # characters of a line; a longer one becomes one edit


def repairs(text: str) -> list[Replacement]:
    """What to put where. A text whose only such places are in code is left alone: it shows them on purpose."""
    if text.isascii():
        return []
    lines = [line for line in _lines(text) if _is_bad(text[line[0] : line[1]])]
    if not any(not code and _is_bad(_CODE.sub("", text[start:end])) for start, end, code in lines):
        return []
    result: list[Replacement] = []
    for start, end, _ in lines:
        broken = text[start:end]
        result += _aligned(start, broken, _fixed(broken))
    return result


def _lines(text: str) -> Iterator[tuple[int, int, bool]]:
    """Lines with a character outside ASCII: start, end, and whether they are code between fences."""
    # From one such character to the next, so that lines of plain ASCII cost nothing but the fences in them.
    position, fenced = 0, False
    while (match := _OUTSIDE_ASCII.search(text, position)) is not None:
        start = text.rfind("\n", position, match.start()) + 1 or position
        end = text.find("\n", match.start())
        end = len(text) if end < 0 else end
        if "```" in text or "~~~" in text:
            fenced ^= sum(_FENCE.match(line) is not None for line in text[position:start].split("\n")) % 2 == 1
        yield start, end, fenced
        position = end


def _is_bad(line: str) -> bool:
    from ftfy.badness import is_bad

    return bool(is_bad(line))


def _fixed(line: str) -> str:
    from ftfy import fix_encoding

    return fix_encoding(line)


def _aligned(offset: int, before: str, after: str) -> Iterator[Replacement]:
    """The least that has to be replaced to make one line the other."""
    if before == after:
        return
    if len(before) > _LONGEST_ALIGNED:
        yield Replacement(offset, offset + len(before), after, ENCODING)
        return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield Replacement(offset + start, offset + end, after[new_start:new_end], ENCODING)
