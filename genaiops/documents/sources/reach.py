"""What every source is told of the reading it is part of."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from genaiops.documents.listing import suffix_of
from genaiops.documents.settings import ENVIRONMENT, URL
from genaiops.endpoints import is_jdbc, secrets_in
from genaiops.errors import ConfigurationError, DocumentError

_SHORTEST_KEY = 4  # characters


@dataclass(frozen=True, slots=True)
class Reach:
    """`base` is the flow's folder; `max_bytes` what one file may have; `suffixes` those that a loader reads.

    `unread` counts the files that would be documents if a loader read their kind, by suffix ("" without one).
    """

    base: Path
    max_bytes: int
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    suffixes: Collection[str]
    unread: Counter[str] = field(default_factory=Counter)

    def reads(self, wanted: Callable[[str], bool]) -> Callable[[str], bool]:
        """Whether the file at a relative path is `wanted` and of a kind that is read; one that is not is counted."""

        def candidate(relative: str) -> bool:
            if not wanted(relative):
                return False
            if (suffix := suffix_of(relative)) in self.suffixes:
                return True
            self.unread[suffix] += 1
            return False

        return candidate


def from_environment(value: Any, where: str) -> Any:
    """`value` with every `env:NAME` in it replaced by that environment variable. ConfigurationError if it is unset."""
    if isinstance(value, dict):
        return {key: from_environment(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_environment(item, where) for item in value]
    if not isinstance(value, str) or not value.startswith(ENVIRONMENT):
        return value
    name = value.removeprefix(ENVIRONMENT)
    if name not in os.environ:
        raise ConfigurationError(f"{where} needs the environment variable {name}", remedy=f"export {name}=…")
    return os.environ[name]


def secrets_of(given: Any, resolved: Any) -> tuple[str, ...]:
    """The texts that came from the environment: whatever they are, they are not to be shown."""
    if isinstance(given, dict):
        return tuple(text for key, item in given.items() for text in secrets_of(item, resolved[key]))
    if isinstance(given, (list, tuple)):
        return tuple(text for pair in zip(given, resolved, strict=True) for text in secrets_of(*pair))
    return (resolved,) if given != resolved and resolved else ()


def hidden_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """What of texts from the environment may stand in no id and no metadata: all of a key, the secret parts of a URL.

    Of a `jdbc:` address its secret parts and the whole. The path of something that is there is no secret, and what is
    shorter than a key would garble all it is taken from.
    """
    found: list[str] = []
    for text in secrets:
        if is_jdbc(text):
            # Each driver writes its addresses its own way: what none of our patterns knows must not show either.
            found += [text, *secrets_in(text)]
        elif URL.match(text):
            found += secrets_in(text)
        elif not _is_there(text):
            found.append(text)
    return tuple(text for text in found if len(text) >= _SHORTEST_KEY)


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # longer than a path may be, or with a NUL in it
        return False


def masked(secrets: Iterable[str], value: Any) -> Any:
    """Data with every secret in its texts and names masked."""
    if isinstance(value, str):
        return without(secrets, value)
    if isinstance(value, dict):
        return {masked(secrets, key): masked(secrets, item) for key, item in value.items()}
    return [masked(secrets, item) for item in value] if isinstance(value, (list, tuple)) else value


def without(secrets: Iterable[str], text: str) -> str:
    """`text` with every secret in it masked, also as URLs spell it."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(form, "***")
    return text


def too_large(document_id: str, size: int, max_bytes: int) -> DocumentError:
    """The refusal of a file of more than `max_bytes`."""
    return DocumentError(f"is larger than documents.max_bytes={max_bytes} ({size} bytes)", where=document_id)
