"""The project around the flows: `genaiops.yaml`, `models.yaml`, and where state lives on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from genaiops.errors import ConfigurationError
from genaiops.files import check_name, read_yaml, validated
from genaiops.records import Settings

PROJECT_FILE = "genaiops.yaml"
MODELS_FILE = "models.yaml"


class ProjectSettings(Settings):
    """`genaiops.yaml`: environments in the order a release passes them, registry and tracking."""

    environments: tuple[str, ...] = ("dev", "test", "prod")
    registry: str = ""  # SQLAlchemy URL; empty: registry.db in the state folder
    tracking: str = "local"  # local | none | an MLflow tracking URI

    @field_validator("environments")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError("environments must be a list of different names")
        for name in names:
            check_name(name, "environment")
        return names


class ModelCard(Settings):
    """One model of `models.yaml`. Prices are US dollars per million tokens; None: unknown."""

    provider: Literal["openai"] = "openai"  # any endpoint that speaks the OpenAI API
    model: str = ""  # the id the endpoint knows; empty: the name in models.yaml
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    input_usd_per_million: float | None = Field(default=None, ge=0)
    output_usd_per_million: float | None = Field(default=None, ge=0)
    max_output_tokens: int = Field(default=512, ge=1, le=1_000_000)
    timeout_s: float = Field(default=30.0, gt=0, le=3600)
    retires_on: str = ""  # ISO date; a retired model is refused


class ModelCatalog(Settings):
    """`models.yaml`: name → model."""

    models: dict[str, ModelCard] = Field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """The folder that holds `genaiops.yaml` (or the working folder), and its state folder."""

    root: Path
    settings: ProjectSettings
    home: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The nearest `genaiops.yaml` at or above `start` (default: the working folder).

        State lives in `.genaiops` beside it, or in `$GENAIOPS_HOME`. Without the file
        the working folder is the project, with default settings. Nothing is created.
        """
        start = (start or Path.cwd()).resolve()
        root = next((p for p in (start, *start.parents) if (p / PROJECT_FILE).is_file()), None)
        settings = (
            ProjectSettings()
            if root is None
            else validated(ProjectSettings, read_yaml(root / PROJECT_FILE, "project file"))
        )
        root = root or Path.cwd().resolve()
        home = os.environ.get("GENAIOPS_HOME", "")
        return cls(root, settings, Path(home).resolve() if home else root / ".genaiops")

    @property
    def indexes(self) -> Path:
        return self.home / "indexes"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def flows(self) -> Path:
        """Which index is current for which settings of which flow."""
        return self.home / "flows"

    @property
    def cache(self) -> Path:
        """SQLite file of everything that can be computed again."""
        return self.home / "cache.db"

    @property
    def registry_url(self) -> str:
        return self.settings.registry or f"sqlite:///{self.home / 'registry.db'}"

    @cached_property
    def models(self) -> ModelCatalog:
        path = self.root / MODELS_FILE
        return validated(ModelCatalog, read_yaml(path, "model catalog")) if path.is_file() else ModelCatalog()

    def environment(self, name: str) -> str:
        """`name` if it is one of the project's environments, else ConfigurationError."""
        if name not in self.settings.environments:
            known = ", ".join(self.settings.environments)
            raise ConfigurationError(f"no environment {name!r}; this project has {known}")
        return name
