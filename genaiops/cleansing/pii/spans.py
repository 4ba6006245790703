"""What every finder yields, and what stands around it."""

from __future__ import annotations

import re
from typing import NamedTuple

_WINDOW = 64  # characters


class Span(NamedTuple):
    """`[start, end)` of a text."""

    start: int
    end: int


def named_before(text: str, start: int, names: re.Pattern[str], *, window: int = _WINDOW) -> bool:
    """Whether one of `names` stands within `window` characters before `start`, in the same paragraph."""
    before = text[max(0, start - window) : start]
    return names.search(before, before.rfind("\n\n") + 1) is not None
