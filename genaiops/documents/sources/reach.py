"""What every source is told of the reading it is part of."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaiops.documents.settings import ENVIRONMENT
from genaiops.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Reach:
    """`base` is the flow's folder; `max_bytes` what one file may have; `suffixes` those that a loader reads."""

    base: Path
    max_bytes: int
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    suffixes: Collection[str]


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
