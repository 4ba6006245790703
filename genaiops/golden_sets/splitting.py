"""Train, dev and holdout: which cases are for learning, for daily work, and for the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from genaiops.configuration import Settings
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.files import write_durably
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.similarity import SimilarWords
from genaiops.records import Case, digest_of

Part = Literal["train", "dev", "holdout"]
PARTS: tuple[Part, ...] = ("train", "dev", "holdout")
ALL = "all"
MAX_BYTES = 10_000


class Split(Settings):
    """`golden.split.json`: the shares of the parts (train has the rest) and the salt of the draw."""

    version: Literal[1] = 1
    salt: str = Field(min_length=1, max_length=200)
    dev: float = Field(ge=0, le=1)
    holdout: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _shares(self) -> Split:
        if self.dev + self.holdout > 1 + 1e-9:
            raise ValueError(f"dev and holdout must be 1 or less together, got {self.dev:g} and {self.holdout:g}")
        return self

    @classmethod
    def of(cls, name: str, *, dev: float, holdout: float, salt: str = "") -> Split:
        """A split of the golden set `name`. ConfigurationError for shares that are no shares."""
        try:
            return cls(salt=salt or name, dev=dev, holdout=holdout)
        except ValidationError as error:
            told = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ConfigurationError(told, remedy="--dev 0.5 --holdout 0.3 leaves 0.2 for training") from None

    @property
    def digest(self) -> str:
        return digest_of(self)

    def part_of(self, group: str) -> Part:
        """Where a group of cases goes: its place in [0, 1) is a digest, so other groups do not matter."""
        drawn = hashlib.sha256(f"{self.salt}\0{group}".encode()).digest()[:8]
        place = int.from_bytes(drawn) / 2**64
        if place < self.holdout:
            return "holdout"
        return "dev" if place < self.holdout + self.dev else "train"


def read_split(path: Path) -> Split | None:
    """The split of a golden set; None where it was not divided. GoldenSetError for a file that cannot be used."""
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES:,} bytes")
        return Split.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError) as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise GoldenSetError(
            f"the split cannot be used: {' '.join(lines[1:3]) or lines[0]}",
            where=path,
            remedy="take it from version control, or make it again: genaiops golden split FLOW",
        ) from None


def write_split(path: Path, split: Split) -> None:
    """Write `golden.split.json`."""
    write_durably(path, json.dumps(split.model_dump(mode="json"), ensure_ascii=False) + "\n")


def parts_of(golden: GoldenSet, split: Split | None) -> Mapping[str, tuple[str, ...]]:
    """The ids of the cases of each part, in the order of the set; nothing where it is not divided.

    A case goes where its group goes: the document of its first quote, so that what one part taught is not asked in
    another; without a quote, the case itself. A question that is almost an earlier one goes where that one went. The
    tag `train`, `dev` or `holdout` decides before all this. Cases that are added later move no other.
    """
    if split is None:
        return {}
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    placed: dict[str, Part] = {}
    index = SimilarWords((case.id, case.question) for case in golden)
    for case in golden:
        twin = next((other for other in index.of(case.question) if other in placed), "")
        part = _told(case) or placed.get(twin) or split.part_of(_group(case))
        placed[case.id] = part
        found[part].append(case.id)
    return {part: tuple(ids) for part, ids in found.items()}


def _told(case: Case) -> Part | None:
    return next((part for part in PARTS if part in case.tags), None)


def _group(case: Case) -> str:
    return f"document {case.evidence[0].document}" if case.evidence else f"case {case.id}"


def part_of_set(golden: GoldenSet, split: Split | None, wanted: str) -> tuple[GoldenSet, str]:
    """The cases of a part, and the part's name: `wanted`, or where that is "" dev of a divided set and all of another.

    Raises ConfigurationError for a part that does not exist, GoldenSetError for one without cases.
    """
    name = wanted or (ALL if split is None else "dev")
    if name == ALL:
        return golden, "" if split is None else ALL
    if name not in PARTS:
        raise ConfigurationError(f"there is no part {name!r}", remedy=f"parts are {', '.join((*PARTS, ALL))}")
    if split is None:
        remedy = "divide it first: genaiops golden split FLOW"
        raise ConfigurationError(f"golden set {golden.name!r} is not divided into parts", remedy=remedy)
    ids = parts_of(golden, split)[name]
    if not ids:
        remedy = "give it a larger share, or another salt: genaiops golden split FLOW --salt WORD"
        raise GoldenSetError(f"the {name} part of golden set {golden.name!r} has no case", remedy=remedy)
    return golden.part(frozenset(ids), golden.name), name
