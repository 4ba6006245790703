"""Where in the JSON of a reply the answer stands: JMESPath expressions, and what is told of one that finds nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from genaiops.display import one_line
from genaiops.errors import ConfigurationError

NUMBERS = ("input_tokens", "output_tokens", "cost_usd")
PATHS = ("answer", "contexts", *NUMBERS)  # what a JMESPath may be given for
DEFAULT_PATHS = {"answer": "answer", "contexts": "contexts"}
_SHOWN, _DEEP, _NAME, _WIDE = 12, 4, 40, 50  # places shown, levels, characters of a name, items of a list looked at
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def parsed_paths(written: Sequence[str]) -> dict[str, str]:
    """`name: expression` of each text, as in `answer: choices[0].message.content`; ConfigurationError otherwise."""
    found: dict[str, str] = {}
    for text in written:
        name, colon, expression = text.partition(":")
        if not colon or name.strip() not in PATHS or not expression.strip():
            raise ConfigurationError(
                f"--jmespath {text!r} is no name with an expression",
                remedy=f"for example --jmespath 'answer: data.text'; names: {', '.join(PATHS)}",
            )
        if name.strip() in found:
            raise ConfigurationError(f"--jmespath {name.strip()!r} is given twice")
        found[name.strip()] = expression.strip()
    return found


def compiled_paths(paths: Mapping[str, str]) -> dict[str, Any]:
    """Name → compiled expression; ConfigurationError for one that is none, or without one of the answer."""
    import jmespath  # type: ignore[import-untyped]
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

    if "answer" not in paths:
        raise ConfigurationError("there is no JMESPath of the answer", remedy="--jmespath 'answer: data.text'")
    found = {}
    for name, expression in paths.items():
        try:
            found[name] = jmespath.compile(expression)
        except (JMESPathError, RecursionError) as error:
            raise ConfigurationError(
                f"the JMESPath of {name} cannot be read: {one_line(error, 300)}",
                remedy=f"for example --jmespath '{name}: data.{name}'",
            ) from None
    return found


def kind_of(value: Any) -> str:
    """What a JSON value is, in words; `nothing` for null."""
    return _KINDS.get(type(value), "nothing")


def places_in(data: Any, *, masked: Callable[[str], str] = str) -> str:
    """What JSON holds, as JMESPaths to the values in it: names only, none of the values, and cut where they are many.

    `an object of reply.text, sources[].text`; `a text` for what has no names. `masked` takes out of a name what must
    not be shown, before it is cut.
    """
    if not isinstance(data, (dict, list)):
        return kind_of(data)
    found = list(islice(dict.fromkeys(_places(data, "", _DEEP, masked)), _SHOWN + 1))
    named = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
    return f"{kind_of(data)} of {named or 'nothing'}"


def _places(value: Any, at: str, levels: int, masked: Callable[[str], str]) -> Iterator[str]:
    if levels and isinstance(value, dict) and value:
        for name, item in value.items():
            named = _named(masked(name))
            yield from _places(item, f"{at}.{named}" if at else named, levels - 1, masked)
    elif levels and isinstance(value, list) and value:
        for item in value[:_WIDE]:
            yield from _places(item, f"{at}[]", levels - 1, masked)
    elif at:
        yield at


def _named(name: str) -> str:
    """A name as JMESPath writes it."""
    return (
        name if len(name) <= _NAME and _BARE.fullmatch(name) else json.dumps(one_line(name, _NAME), ensure_ascii=False)
    )
