"""HTML by construction: text becomes markup only through `h`, which escapes it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import cache
from typing import Final

from genaiops.display import clean

VOID: Final = frozenset({"meta", "input"})  # HTML's own; inside <svg> every element needs its end


class Markup(str):
    """Markup that `h` made, or a constant of ours. Never wrap text from data in it."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def h(tag: str, *children: Child, **attributes: str | float | None) -> Markup:
    """One element. Plain strings among `children` are escaped; None is left out.

    Attribute names are ours: a trailing `_` is dropped (`class_`), other `_` become `-`.
    Values are escaped and quoted; None leaves the attribute out.
    """
    opened = "".join(
        f' {_attribute(name)}="{_escaped(value)}"' for name, value in attributes.items() if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{opened}>")
    return Markup(f"<{tag}{opened}>{joined(children)}</{tag}>")


@cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def joined(children: Child) -> Markup:
    """Children one after the other, escaped unless they are markup."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return Markup(_escaped(children))
    return Markup("".join(joined(child) for child in children))


def _escaped(value: object) -> str:
    return html.escape(clean(value), quote=True)
