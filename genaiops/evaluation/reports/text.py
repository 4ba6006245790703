"""Text from data, made harmless for whatever shows it, and numbers made readable."""

from __future__ import annotations

import math
import re

# Escape sequences whole, so that "\x1b[31mred" leaves "red" and not "[31mred".
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]"
)
# What no report may carry: control characters but tab and newline, overrides of the writing direction (they
# reorder what a reader sees), lone surrogates (no encoding has them) and what XML 1.0 forbids.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")


def clean(text: object) -> str:
    """`text` without terminal escapes, control characters and direction overrides; line ends become `\\n`."""
    text = str(text)
    if text.isprintable():  # nothing of all that is printable; a report cleans hundreds of thousands of short texts
        return text
    return _UNSAFE.sub("", _NEWLINES.sub("\n", _ANSI.sub("", text)))


def one_line(text: object, limit: int = 0) -> str:
    """Cleaned text on one line, cut with an ellipsis after `limit` characters (0: never)."""
    line = _SPACE.sub(" ", clean(text)).strip()
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def number(value: float | None, *, unit_interval: bool = True) -> str:
    """A value as people read it: `0.912`; outside the unit interval four figures; `–` for none."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if unit_interval:
        return f"{value:.3f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def signed(value: float, *, unit_interval: bool = True) -> str:
    """A difference with its sign: `+0.021`, `−0.100`, `±0`."""
    shown = number(abs(value), unit_interval=unit_interval)
    if not any(character in "123456789∞" for character in shown):
        return "±0"
    return f"{'+' if value > 0 else '−'}{shown}"


def ends(low: float | None, high: float | None, *, unit_interval: bool = True) -> str:
    """An interval: `0.200 to 0.900`; an end that the data cannot give (None or infinite) is "no bound"."""
    shown = [
        "no bound" if end is None or math.isinf(end) else number(end, unit_interval=unit_interval)
        for end in (low, high)
    ]
    return shown[0] if shown[0] == shown[1] == "no bound" else f"{shown[0]} to {shown[1]}"


def counted(number_of: int, what: str) -> str:
    """`1 case`, `2,000 cases`."""
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"


def share(value: float) -> str:
    """A share in [0, 1] as a percentage that never rounds a part up to all or down to nothing."""
    percent = 100 * value
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"
