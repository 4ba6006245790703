"""What `where` may say, read into conditions. Light: settings use it to refuse a wrong filter at the door."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genaiops.errors import ConfigurationError

DOCUMENT_KEY = "document"  # stands for the id of the chunk's document, in which * matches anything
ACCESS_KEY = "access"
MISSING = object()  # what a chunk has under a key that its metadata lacks

Scalar = str | int | float | bool | None
_REMEDY = (
    'forms: {"key": value}, {"key": [any, of]}, {"key": {"gte": 2024, "lt": 2026}}, '
    '{"key": {"contains": value}}, {"key": {"not": value or list}}'
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one metadata key; a `where` holds when all of its conditions hold."""

    key: str
    holds: Callable[[Any], bool]  # of the value under the key, or MISSING


def parse_where(where: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The conditions of a `where`, in its order. ConfigurationError says which key has which unknown form."""
    if not isinstance(where, Mapping):
        raise ConfigurationError(f"where must be keys and values, got {type(where).__name__}", remedy=_REMEDY)
    conditions: list[Condition] = []
    for key, wanted in where.items():
        if not isinstance(key, str) or not key:
            raise ConfigurationError(f"where has a key that is no name: {key!r}", remedy=_REMEDY)
        if isinstance(wanted, Mapping):
            if not wanted:
                raise ConfigurationError(f"where.{key} names no operator", remedy=_REMEDY)
            conditions += [Condition(key, _operator(key, str(name), value)) for name, value in wanted.items()]
        else:
            conditions.append(Condition(key, _any_of(key, wanted)))
    return tuple(conditions)


def visible(value: object, labels: frozenset[str] | None) -> bool:
    """Whether a chunk whose metadata has `value` under `access` may be seen by who holds `labels` (None: all of them).

    A chunk without the key is everybody's. A value that is no list of texts is a mistake, and seen by nobody.
    """
    if value is MISSING:
        return True
    if not isinstance(value, (list, tuple)) or not all(isinstance(label, str) and label for label in value):
        return False
    return labels is None or not labels.isdisjoint(value)


def _operator(key: str, name: str, wanted: object) -> Callable[[Any], bool]:
    if name == "not":
        equal = _any_of(key, wanted)
        return lambda value: not equal(value)
    if name == "contains":
        sought = _scalar(key, wanted)
        return lambda value: _contains(value, sought)
    if name not in _ORDERS:
        known = ", ".join([*_ORDERS, "contains", "not"])
        raise ConfigurationError(f"where.{key} has no operator {name!r}; there is {known}", remedy=_REMEDY)
    bound, order = _scalar(key, wanted), _ORDERS[name]
    if bound is None or isinstance(bound, bool):
        raise ConfigurationError(f"where.{key}.{name} must be a number or a text, got {bound!r}", remedy=_REMEDY)
    return lambda value: _comparable(value, bound) and order(value, bound)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def _any_of(key: str, wanted: object) -> Callable[[Any], bool]:
    """Equality with one value, or with any value of a list (of none: never)."""
    choices = [_scalar(key, item) for item in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    if key == DOCUMENT_KEY:
        globs = [choice.split("*") for choice in choices if isinstance(choice, str)]
        return lambda value: any(_matches(value, glob) for glob in globs)
    return lambda value: any(_equal(value, choice) for choice in choices)


def _matches(text: str, parts: list[str]) -> bool:
    """Whether `text` is the parts in order with anything between them, in linear time (no regular expression)."""
    first, *middle = parts
    if not middle:
        return text == first
    last = middle.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _equal(value: object, wanted: Scalar) -> bool:
    """As JSON tells values apart: true is not 1, 1 is 1.0, and a missing key is null."""
    if wanted is None:
        return value is None or value is MISSING
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, (int, float, str)):
        return value == wanted
    return False


def _contains(value: object, sought: Scalar) -> bool:
    """A list that has the value, or a text that has the text in it."""
    if isinstance(value, (list, tuple)):
        return any(item is not None and _equal(item, sought) if sought is not None else item is None for item in value)
    return isinstance(value, str) and isinstance(sought, str) and sought in value


def _comparable(value: object, bound: Scalar) -> bool:
    if isinstance(bound, str):
        return isinstance(value, str)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scalar(key: str, value: Any) -> Scalar:
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    given = repr(value) if isinstance(value, float) else f"{type(value).__name__} ({value!r:.80})"
    raise ConfigurationError(
        f"where.{key} must be a text, a number, true, false or null, got {given}",
        remedy=f"{_REMEDY}; a date is a text in quotes",
    )
