"""Text from data, made harmless for whatever shows it, and counts that read well."""

from __future__ import annotations

import re

# Escape sequences whole, so that "\x1b[31mred" leaves "red" and not "[31mred".
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x0a-\x0d\x1b\x85\u2028\u2029]*(?:\x07|\x1b\\)"
    r"|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]"
)
# What no report may carry: control characters but tab and newline, overrides of the writing direction (they
# reorder what a reader sees), characters that nobody sees (they hide words, or break up those a reader looks for;
# the joiners U+200C and U+200D stay, which scripts and emoji need), lone surrogates (no encoding has them) and what
# XML 1.0 forbids.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff\ufffe\uffff]"
)
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")


def clean(text: object) -> str:
    """`text` without terminal escapes, control characters and invisible ones; line ends become `\\n`."""
    text = str(text)
    if text.isprintable():  # nothing of all that is printable; a report cleans hundreds of thousands of short texts
        return text
    return _UNSAFE.sub("", _NEWLINES.sub("\n", _ANSI.sub("", text)))


def one_line(text: object, limit: int = 0) -> str:
    """Cleaned text on one line, cut with an ellipsis after `limit` characters (0: never)."""
    line = _SPACE.sub(" ", clean(text)).strip()
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def counted(number_of: int, what: str) -> str:
    """`1 case`, `2,000 cases`."""
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"
