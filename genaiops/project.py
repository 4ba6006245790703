"""The project around the flows: `genaiops.yaml`, and where state lives on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator

from genaiops.configuration import Settings, read_yaml, validated
from genaiops.errors import ConfigurationError, NotFound
from genaiops.files import check_name

PROJECT_FILE = "genaiops.yaml"
MODELS_FILE = "models.yaml"
REGISTRY_FILE = "registry.db"  # where genaiops.yaml names no other
MAKE_ONE = f"go to the folder that holds {PROJECT_FILE}, or make a project here: genaiops new NAME"


class RetentionSettings(Settings):
    """`retention:` of genaiops.yaml: what `genaiops gc` keeps besides all that is in use."""

    keep_last: int = Field(default=3, ge=1, le=10_000)  # indexes of each combination of a flow's settings
    keep_days: float = Field(default=30.0, ge=0, le=36_500)  # whatever was built within this time
    unused_vectors_mb: float = Field(default=500.0, ge=0)  # what cached vectors that no index holds may take
    evaluation_results_mb: float = Field(default=200.0, ge=0)  # what evaluations may keep to be taken over later


class ProjectSettings(Settings):
    """`genaiops.yaml`: environments in the order a release passes them, registry, tracking and retention."""

    environments: tuple[str, ...] = ("dev", "test", "prod")
    registry: str = ""  # SQLAlchemy URL; empty: registry.db in the state folder
    tracking: str = "local"  # local | none | an MLflow tracking URI
    retention: RetentionSettings = RetentionSettings()

    @field_validator("environments")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError("environments must be a list of different names")
        try:
            for name in names:
                check_name(name, "environment")
        except ConfigurationError as error:  # pydantic knows the line when it is a ValueError
            raise ValueError(f"{error.what}; {error.remedy}") from None
        return names


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
        home = Path(os.environ.get("GENAIOPS_HOME", "") or root / ".genaiops").resolve()
        if "?" in str(home):  # ends the file name in a database URL
            raise ConfigurationError("the state folder's path has a '?'", where=home, remedy="set GENAIOPS_HOME")
        return cls(root, settings, home)

    @classmethod
    def here(cls) -> Project:
        """As `find`; NotFound where neither a `genaiops.yaml`, nor flows, nor anything a flow left says it is one."""
        project = cls.find()
        if not project.exists:
            raise NotFound("there is no project here", where=project.root, remedy=MAKE_ONE)
        return project

    @property
    def exists(self) -> bool:
        """Whether this is a project and not just any folder; a cache alone (`score` keeps one) makes none."""
        left = (self.indexes, self.runs, self.releases, self.flows, self.home / REGISTRY_FILE)
        flows = (self.root / "flows").glob("*/flow.yaml")
        return (self.root / PROJECT_FILE).is_file() or any(flows) or any(path.exists() for path in left)

    @property
    def indexes(self) -> Path:
        return self.home / "indexes"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def passports(self) -> Path:
        """What judges are worth by the labels of this project."""
        return self.home / "passports"

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
    def lock(self) -> Path:
        """Builds hold it shared while they run, `gc` and `forget` alone: see `files.locked`."""
        return self.home / "builds.lock"

    @property
    def registry_url(self) -> str:
        return self.settings.registry or f"sqlite:///{self.home / REGISTRY_FILE}"

    @property
    def models_file(self) -> Path:
        return self.root / MODELS_FILE

    def environment(self, name: str) -> str:
        """`name` if it is one of the project's environments, else ConfigurationError."""
        if name not in self.settings.environments:
            known = ", ".join(self.settings.environments)
            raise ConfigurationError(f"no environment {name!r}; this project has {known}")
        return name
