"""What users write into configuration files: read, and checked with the file and line of every fault."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from genaiops.errors import ConfigurationError

S = TypeVar("S", bound="Settings")
KeyPath = tuple[str | int, ...]
MAX_CONFIG_BYTES = 1_000_000
MAX_YAML_VALUES = 10_000  # with aliases written out: ninety of them, nested, could stand for billions
SECRET = "secret"  # type of the errors that `holds_secret` makes


class Settings(BaseModel):
    """What a user may write in a configuration file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def holds_secret(said: str) -> PydanticCustomError:
    """The error of a validator that refuses a secret; whoever tells users of it does not show what was given."""
    return PydanticCustomError(SECRET, "{said}", {"said": said})


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Parsed YAML, with the line (from 1) of every key and list item."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, key: KeyPath) -> int | None:
        """The line of `key`, or of the nearest parent that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


class _LinedLoader(yaml.SafeLoader):
    pass


def read_text(path: Path, what: str, *, max_bytes: int = MAX_CONFIG_BYTES) -> str:
    """The UTF-8 text of a file a user wrote; ConfigurationError when it is missing, huge or not text."""
    try:
        if path.stat().st_size > max_bytes:
            raise ConfigurationError(f"{what} is larger than {max_bytes:,} bytes", where=path)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{what} does not exist", where=path, remedy="check the path") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} is not UTF-8 text: {error.reason}", where=path) from None
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {error.strerror}", where=path) from None


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> YamlFile:
    """Parse YAML without tags, with duplicate keys and alias bombs refused.

    `first_line` is where `text` starts in the file (front matter starts at 2).
    Raises ConfigurationError with the line.
    """
    loader: _LinedLoader | None = None
    try:
        loader = _LinedLoader(text)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        if node is not None:
            _collect_lines(node, (), lines, first_line, path)
        data = {} if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + first_line if mark else None
        raise ConfigurationError(f"not valid YAML: {error.problem}", where=path, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + first_line
        raise ConfigurationError(f"not valid YAML: {error.reason}", where=path, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=path) from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(data, dict):
        raise ConfigurationError(f"expected keys and values, got {type(data).__name__}", where=path)
    return YamlFile(path, data, lines)


def _collect_lines(node: yaml.Node, key: KeyPath, lines: dict[KeyPath, int], first_line: int, path: Path) -> None:
    if len(lines) > MAX_YAML_VALUES:
        raise ConfigurationError(f"more than {MAX_YAML_VALUES:,} values, aliases written out", where=path)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            name = str(key_node.value)
            line = key_node.start_mark.line + first_line
            if name in seen:
                raise ConfigurationError(f"key {name!r} is given twice", where=path, line=line)
            seen.add(name)
            lines[(*key, name)] = line
            _collect_lines(value_node, (*key, name), lines, first_line, path)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*key, position)] = item.start_mark.line + first_line
            _collect_lines(item, (*key, position), lines, first_line, path)


def read_yaml(path: Path, what: str) -> YamlFile:
    """Read one configuration file; ConfigurationError names the file and line."""
    return parse_yaml(read_text(path, what), path)


def validated(model: type[S], file: YamlFile) -> S:
    """`file` as settings. Every violation is in one ConfigurationError, each with its line."""
    return validated_data(model, file.data, where=lambda key: f"{file.path}:{file.line(key) or 1}")


def validated_data(model: type[S], data: Mapping[str, Any], *, where: Callable[[KeyPath], str]) -> S:
    """`data` as settings; `where` names the place of a key for the error."""
    try:
        # Through JSON, so that strict types still accept a YAML list where a tuple is wanted.
        return model.model_validate_json(json.dumps(data, default=str))
    except (TypeError, UnicodeEncodeError) as error:  # a date as a key, half of a surrogate pair
        raise ConfigurationError(
            f"keys and values must be plain text, numbers or lists: {error}", where=where(())
        ) from None
    except ValidationError as error:
        found = error.errors(include_url=False)
        secret = any(item["type"] == SECRET for item in found)  # it stands in what the other errors would show, too
        problems = [_problem(model, item, where, shown=not secret) for item in found]
        remedy = "" if len(problems) == 1 else "also:\n    " + "\n    ".join(f"{p[0]}: {p[1]}" for p in problems[1:])
        raise ConfigurationError(problems[0][1], where=problems[0][0], remedy=remedy) from None


def _problem(model: type[Settings], item: Any, where: Callable[[KeyPath], str], *, shown: bool) -> tuple[str, str]:
    key = tuple(part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    dotted = ".".join(str(part) for part in key)
    if item["type"] == "extra_forbidden":
        known = _known_keys(model, key[:-1])
        close = difflib.get_close_matches(str(key[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}"
        return where(key), f"unknown key {dotted!r}" + (f"; {hint}" if known else "")
    if item["type"] == "missing":
        return where(key), f"key {dotted!r} is missing"
    got = f", got {item['input']!r:.80}" if shown else ""
    return where(key), f"{dotted}: {item['msg'].removeprefix('Value error, ')}{got}"


def _known_keys(model: Any, key: KeyPath) -> list[str]:
    """Field names of the settings that `key` leads to; empty when a list or union is on the way."""
    for part in key:
        field = getattr(model, "model_fields", {}).get(part)
        model = None if field is None else field.annotation
    return list(getattr(model, "model_fields", {}))


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested maps with its dotted key; lists and empty maps are values."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}" if key else str(name))
    else:
        yield key, value
