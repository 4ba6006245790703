"""flow.yaml, and what the environment and the command line put over it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from genaiops.chunking import ChunkingSettings
from genaiops.chunking.enrichment import checked, identity_of
from genaiops.cleansing import CleansingSettings, QualityBar
from genaiops.configuration import KeyPath, Settings, YamlFile, read_yaml, validated_data
from genaiops.documents import DocumentSettings
from genaiops.embedding import EmbeddingSettings
from genaiops.errors import ConfigurationError
from genaiops.files import check_name
from genaiops.generation.catalog import EXTRACTIVE, GenerationSettings, JudgeSettings
from genaiops.indexing import IndexSettings
from genaiops.records import as_json
from genaiops.retrieval import RetrievalSettings

FLOW_FILE = "flow.yaml"
_VARIABLE = "GENAIOPS_"
# What is measured when flow.yaml names nothing.
DEFAULT_MEASURES = (
    "recall@6", "ndcg@10", "groundedness", "relevance", "completeness", "utilization", "refusal", "latency_p95_s",
)  # fmt: skip


class EvaluationSettings(Settings):
    """The `evaluation:` part of flow.yaml."""

    golden_set: str = ""  # folder or .jsonl file, relative to the flow
    split: Literal["", "train", "dev", "holdout", "all"] = ""  # the part of a divided golden set; "": dev
    measures: tuple[str, ...] = DEFAULT_MEASURES
    workers: int = Field(default=1, ge=1, le=64)  # questions asked at once
    seed: int = Field(default=0, ge=0)
    repeats: int = Field(default=1, ge=1, le=100)  # how often each question is asked
    # What of earlier evaluations of the same content is taken over: nothing; what this machine computes (searches,
    # extractive answers, judgements); also answers of models, which must then be asked at temperature 0.
    reuse: Literal["none", "offline", "models"] = "offline"
    wrong_below: dict[str, float] | None = None  # measure → bound; None: groundedness and completeness below 0.5
    # A quote that no document of the index holds: refuse to evaluate, or ask all the same and say where it was lost.
    missing_evidence: Literal["refuse", "count"] = "refuse"
    judge: JudgeSettings = JudgeSettings()  # of the measures that a language model decides


class FreshnessSettings(Settings):
    """The `freshness:` part of flow.yaml."""

    # How long a changed source may wait until the index holds it; None: not at all.
    objective_hours: float | None = Field(default=None, ge=0, le=876_000)


class FlowSettings(Settings):
    """A whole flow.yaml."""

    name: str
    documents: DocumentSettings
    cleansing: CleansingSettings = CleansingSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    enrichment: tuple[str | dict[str, Any], ...] = ("heading_path",)  # a name, or one name with its options
    embedding: EmbeddingSettings = EmbeddingSettings()
    quality: QualityBar = QualityBar()
    index: IndexSettings = IndexSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    prompt: str
    generation: GenerationSettings = GenerationSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    freshness: FreshnessSettings = FreshnessSettings()

    @field_validator("name", "prompt")
    @classmethod
    def _name(cls, value: str) -> str:
        try:
            return check_name(value, "name")
        except ConfigurationError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from None

    @field_validator("enrichment")
    @classmethod
    def _known(cls, value: tuple[str | dict[str, Any], ...]) -> tuple[str | dict[str, Any], ...]:
        try:
            checked(value)
        except ConfigurationError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from None
        return value

    @model_validator(mode="after")
    def _somebody_rewrites(self) -> FlowSettings:
        if self.retrieval.rewrite != "none" and self.generation.model == EXTRACTIVE:
            raise ValueError(
                f"retrieval.rewrite: {self.retrieval.rewrite} asks a model, and generation.model is {EXTRACTIVE}; "
                "name a model of models.yaml, or set retrieval.rewrite: none"
            )
        return self

    def index_part(self) -> dict[str, Any]:
        """The settings that decide what an index holds, besides the documents and the embedder's weights."""
        part = {
            "chunking": {**as_json(self.chunking), "digest": self.chunking.digest},  # it holds the strategy's version
            "enrichment": identity_of(self.enrichment, (self.generation.model, self.generation.base_url)),
            "index": as_json(self.index),
        }
        # `auto` leaves the choice to the machine and keeps the id the same on all of them.
        return part if self.embedding.precision == "auto" else {**part, "precision": self.embedding.precision}


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings in force, and where each given value came from (dotted key → file:line, variable or --set)."""

    settings: FlowSettings
    origins: Mapping[str, str]


def read_flow(folder: Path, overrides: Sequence[str] = ()) -> Effective:
    """`folder/flow.yaml`, then `GENAIOPS_…` variables, then `key=value` overrides; the last one wins.

    Raises ConfigurationError that names the place of every wrong value.
    """
    if folder.is_file() and folder.name == FLOW_FILE:
        folder = folder.parent
    path = folder / FLOW_FILE
    if not path.is_file():
        raise ConfigurationError(
            "there is no flow.yaml here", where=folder, remedy="give a flow's folder, or make one: genaiops new NAME"
        )
    file = read_yaml(path, "flow")
    data: dict[str, Any] = dict(file.data)
    origins: dict[str, str] = {}
    _note_origins(file, data, (), origins)
    for name, value in sorted(os.environ.items()):
        key = _key_of_variable(name)
        if key:
            _put(data, key, _parsed(value, name), name)
            _note_override(origins, ".".join(key), f"environment variable {name}")
    for dotted, value in parsed_overrides(overrides).items():
        _put(data, tuple(dotted.split(".")), value, f"--set {dotted}")
        _note_override(origins, dotted, f"--set {dotted}")

    def where(key: KeyPath) -> str:
        if place := origin_of(key, origins):
            return place
        # A whole section is wrong: by what was given on top of the file, unless the file is wrong by itself.
        given = [] if key in _faults(file.data) else _overrides_below(key, origins, path)
        return ", ".join(given) or f"{path}:{file.line(key) or 1}"

    return Effective(validated_data(FlowSettings, data, where=where), origins)


def parsed_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Dotted key → value of `key=value` texts, the last one winning. Raises ConfigurationError for anything else."""
    found: dict[str, Any] = {}
    for text in overrides:
        dotted, equals, value = text.partition("=")
        if not equals or not dotted:
            raise ConfigurationError(f"--set needs key=value, got {text!r}", remedy="--set retrieval.top_k=8")
        found.pop(dotted, None)
        found[dotted] = _parsed(value, f"--set {dotted}")
    return found


def origin_of(key: KeyPath, origins: Mapping[str, str]) -> str:
    """The place of a value: its own, or that of the nearest key above that was given as a whole; "" for a default."""
    above = (".".join(map(str, key[:length])) for length in range(len(key), 0, -1))
    return next((origins[name] for name in above if name in origins), "")


def _faults(data: Mapping[str, Any]) -> set[KeyPath]:
    """The keys at which settings are refused."""
    found: set[KeyPath] = set()

    def note(key: KeyPath) -> str:
        found.add(key)
        return ""

    with suppress(ConfigurationError):
        validated_data(FlowSettings, data, where=note)
    return found


def _overrides_below(key: KeyPath, origins: Mapping[str, str], file: Path) -> list[str]:
    """The places of what was given for keys below `key` in another place than the file."""
    above = "".join(f"{part}." for part in key)
    return [place for name, place in origins.items() if name.startswith(above) and not place.startswith(f"{file}:")]


def _note_override(origins: dict[str, str], key: str, origin: str) -> None:
    """`key` now comes from `origin`, and with it everything below."""
    for name in [name for name in origins if name.startswith(f"{key}.")]:
        del origins[name]
    origins[key] = origin


def _note_origins(file: YamlFile, data: Any, key: tuple[str, ...], origins: dict[str, str]) -> None:
    for name, value in data.items():
        here = (*key, str(name))
        if isinstance(value, dict):
            _note_origins(file, value, here, origins)
        else:
            origins[".".join(here)] = f"{file.path}:{file.line(here)}"


def _key_of_variable(name: str) -> tuple[str, ...]:
    """`GENAIOPS_RETRIEVAL__TOP_K` → ("retrieval", "top_k"); () for variables that are no flow setting.

    A top-level value without `__` counts only when flow.yaml knows it (GENAIOPS_PROMPT), so that GENAIOPS_HOME
    and others keep their own meaning; a section that nobody knows is an error, because a misspelt override that
    does nothing is worse.
    """
    if not name.startswith(_VARIABLE):
        return ()
    parts = tuple(name.removeprefix(_VARIABLE).lower().split("__"))
    if len(parts) == 1:
        return parts if parts[0] in ("prompt", "enrichment") else ()
    if parts[0] not in FlowSettings.model_fields:
        raise ConfigurationError(
            f"environment variable {name} overrides no setting",
            remedy=f"sections are {', '.join(sorted(FlowSettings.model_fields))}",
        )
    return parts


def _parsed(value: str, where: str) -> Any:
    try:
        return yaml.safe_load(value) if value.strip() else ""
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError(f"the value {value!r} cannot be read", where=where) from None


def _put(data: dict[str, Any], key: tuple[str, ...], value: Any, where: str) -> None:
    for part in key[:-1]:
        inner = data.get(part, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(f"{'.'.join(key)}: {part!r} has no keys of its own", where=where)
        data[part] = dict(inner)
        data = data[part]
    data[key[-1]] = value
