"""Reading JSON lines that people and other programs wrote: strictly, and with the number of every line."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from genaiops.errors import GenaiopsError, NotFound

T = TypeVar("T")
MAX_BYTES = 500_000_000
SHOWN_FAULTS = 100
HALF_A_PAIR = "holds half of a surrogate pair (\\ud800 to \\udfff), which is not text"


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and the line it stands on, from 1."""

    line: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line."""

    line: int
    what: str


def read_json_lines(path: Path, what: str, *, only: Collection[str] = ()) -> tuple[list[Row], list[Fault]]:
    """The objects of a JSON-lines file, and a fault for each line that is none. Blank lines are skipped.

    With `only`, those fields of each object: of the others nothing is asked but that the line can be parsed.

    Refused: lines that are not UTF-8, a byte-order mark, keys given twice, NaN and
    infinities, half a surrogate pair (it has no UTF-8 form). Raises NotFound when
    there is no such file.
    """
    content, faults = content_of(path, what)
    rows: list[Row] = []
    if content.startswith(codecs.BOM_UTF8):
        faults.append(Fault(1, "starts with a byte-order mark; save the file as UTF-8 without one"))
        content = content.removeprefix(codecs.BOM_UTF8)
    # Not splitlines(): U+2028 and its like are ordinary characters inside a JSON string.
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(Row(number, _parse(line, only)))
        except UnicodeDecodeError as error:
            faults.append(Fault(number, f"not UTF-8: {error.reason} at byte {error.start + 1}"))
        except UnicodeEncodeError:
            faults.append(Fault(number, HALF_A_PAIR))
        except json.JSONDecodeError as error:
            faults.append(Fault(number, f"not valid JSON: {error.msg} (column {error.colno})"))
        except RecursionError:
            faults.append(Fault(number, "not valid JSON: nested too deeply"))
        except ValueError as error:
            faults.append(Fault(number, str(error)))
    return rows, faults


def read_each(
    path: Path,
    what: str,
    error: type[GenaiopsError],
    read: Callable[[dict[str, Any]], T],
    *,
    only: Collection[str] = (),
) -> list[T]:
    """What `read` makes of each object of a JSON-lines file; a ValueError of it says what is wrong with the object.

    With `only`, of those fields of each object.

    One error of the given class lists every broken line. NotFound when there is no such file.
    """
    rows, faults = read_json_lines(path, what, only=only)
    found: list[T] = []
    for row in rows:
        try:
            found.append(read(row.data))
        except ValueError as problem:
            faults.append(Fault(row.line, str(problem)))
    if faults:
        raise all_faults(error, path, faults)
    return found


def content_of(path: Path, what: str) -> tuple[bytes, list[Fault]]:
    """The bytes of a file; none, and why, of one that is too large. Raises NotFound when there is no such file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return b"", [Fault(1, f"the file is larger than {MAX_BYTES:,} bytes")]
        return path.read_bytes(), []
    except OSError as error:
        raise NotFound(f"{what} cannot be read: {error.strerror}", where=path, remedy="check the path") from None


def text_of(path: Path, what: str) -> tuple[str, list[Fault]]:
    """The UTF-8 text of a file, without a byte-order mark. Otherwise as `content_of`."""
    content, faults = content_of(path, what)
    try:
        return content.decode("utf-8-sig"), faults
    except UnicodeDecodeError as error:
        return "", [Fault(1, f"not UTF-8: {error.reason} at byte {error.start + 1}")]


def all_faults(error: type[GenaiopsError], path: Path, faults: Iterable[Fault]) -> GenaiopsError:
    """One error of the given class that lists every fault with `file:line`, in the order of the file."""
    ordered = sorted(faults, key=lambda fault: fault.line)
    others = [f"{path}:{fault.line}: {fault.what}" for fault in ordered[1:SHOWN_FAULTS]]
    if len(ordered) > SHOWN_FAULTS:
        others.append(f"and {len(ordered) - SHOWN_FAULTS} more")
    remedy = "also:\n    " + "\n    ".join(others) if others else ""
    return error(ordered[0].what, where=path, line=ordered[0].line, remedy=remedy)


def strict_json(text: str) -> Any:
    """JSON without keys given twice, NaN, infinities and half a surrogate pair.

    Raises ValueError or RecursionError, and UnicodeEncodeError, which is a ValueError, for half a pair.
    """
    value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _parse(line: bytes, only: Collection[str]) -> dict[str, Any]:
    text = line.decode("utf-8")
    value = _only(text, only) if only else strict_json(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected one JSON object a line, got {type(value).__name__}")
    return value


def _only(text: str, names: Collection[str]) -> Any:
    """The named fields of an object, as strictly as `strict_json` has them; anything else as it is."""
    value = json.loads(text, object_pairs_hook=tuple)
    if not isinstance(value, tuple):  # no object
        return value
    return strict_json(json.dumps(_without_duplicates([(name, item) for name, item in value if name in names])))


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} is given twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
