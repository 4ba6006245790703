"""Train, dev and holdout: which cases are for learning, for daily work, and for the end."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError, model_validator

from genaiops.configuration import Settings
from genaiops.display import counted
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.files import write_durably
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.similarity import SimilarWords
from genaiops.records import digest_of

Part = Literal["train", "dev", "holdout"]
PARTS: tuple[Part, ...] = ("train", "dev", "holdout")
ALL = "all"
MAX_BYTES = 10_000
DEV, HOLDOUT = 0.5, 0.3  # shares of a set that is divided for the first time
_DRAWS = 1000  # salts tried; three groups in the shares above fill three parts in one draw of six
_NO_SHARE = 1e-9
_NAMED = 3  # groups told


class Group(NamedTuple):
    """Cases that stay together; `told` is the part that a tag of theirs names."""

    name: str
    told: Part | None = None


class Split(Settings):
    """`golden.split.json`: the shares of the parts (train has the rest) and the salt of the draw."""

    version: Literal[1] = 1
    salt: str = Field(min_length=1, max_length=200)
    dev: float = Field(ge=0, le=1)
    holdout: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _shares(self) -> Split:
        if self.dev + self.holdout > 1 + _NO_SHARE:
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

    @property
    def asked_for(self) -> tuple[Part, ...]:
        """The parts with a share above 0."""
        shares = {"train": 1 - self.dev - self.holdout, "dev": self.dev, "holdout": self.holdout}
        return tuple(part for part in PARTS if shares[part] > _NO_SHARE)

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
            remedy="take it from version control, or divide anew, where cases may change their part: "
            f"genaiops golden split FLOW --dev {DEV:g} --holdout {HOLDOUT:g} --salt WORD",
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
    return {} if split is None else _dealt(_groups(golden), split)


def divide(
    golden: GoldenSet,
    *,
    dev: float | None = None,
    holdout: float | None = None,
    salt: str = "",
    before: Split | None = None,
) -> Split:
    """The split of a set, in which no part that has a share above 0 is empty.

    What is not given is as it was `before`, so that no case moves unasked; of a set that was not divided yet the
    shares are 0.5 and 0.3. Without a salt a new division takes the set's name, and where that leaves a part empty the
    first of "name 2", "name 3" … that does not. Raises GoldenSetError, before anything is written, where a part would
    be empty all the same, and ConfigurationError for shares that are no shares.
    """
    shares = {
        "dev": dev if dev is not None else before.dev if before else DEV,
        "holdout": holdout if holdout is not None else before.holdout if before else HOLDOUT,
    }
    first = Split.of(golden.name, salt=salt or (before.salt if before else ""), **shares)
    groups = _groups(golden)
    free = bool(salt or before)
    salts = [first.salt] if free else [first.salt, *(f"{golden.name} {number}" for number in range(2, _DRAWS + 1))]
    for made in (first.model_copy(update={"salt": word}) for word in salts):
        if all(_dealt(groups, made)[part] for part in made.asked_for):
            return made
    raise _too_few(golden, groups, first, fixed=free)


def moved(golden: GoldenSet, before: Split | None, after: Split) -> tuple[str, ...]:
    """The ids of the cases that are in another part than before; none for a set that was not divided."""
    if before is None:
        return ()
    groups = _groups(golden)
    old = {case_id: part for part, ids in _dealt(groups, before).items() for case_id in ids}
    return tuple(case_id for part, ids in _dealt(groups, after).items() for case_id in ids if old[case_id] != part)


def _dealt(groups: Mapping[str, Group], split: Split) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for case_id, group in groups.items():
        found[group.told or split.part_of(group.name)].append(case_id)
    return {part: tuple(ids) for part, ids in found.items()}


def _groups(golden: GoldenSet) -> dict[str, Group]:
    """Case id → what it goes with, in the order of the set."""
    groups: dict[str, Group] = {}
    index = SimilarWords((case.id, case.question) for case in golden)
    for case in golden:
        twin = next((other for other in index.of(case.question) if other in groups), "")
        told = next((part for part in PARTS if part in case.tags), None)
        own = f"document {case.evidence[0].document}" if case.evidence else f"case {case.id}"
        groups[case.id] = Group(f"tag {told}", told) if told else groups.get(twin, Group(own))
    return groups


def _too_few(golden: GoldenSet, groups: Mapping[str, Group], split: Split, *, fixed: bool) -> GoldenSetError:
    """Why a part would be empty: too few groups, or shares or a salt that leave it none."""
    empty = [part for part in split.asked_for if not _dealt(groups, split)[part]]
    apart = Counter(group.name for group in groups.values())
    wanted = [part for part in split.asked_for if part not in {group.told for group in groups.values()}]
    free = sum(not name.startswith("tag ") for name in apart)
    what = f"{counted(len(golden), 'case')} of {golden.name!r} leave {' and '.join(empty)} without a case"
    if free < len(wanted):
        most = ", ".join(f"{number} of {name}" for name, number in apart.most_common(_NAMED))
        told = f"cases of one document stay together, which leaves {counted(free, 'group')} to divide ({most})"
        remedy = "ask about more documents, or for fewer parts: --dev 0.7 --holdout 0.3 leaves none for training"
    elif fixed:
        told = f"the salt {split.salt!r} deals {counted(free, 'group')} of cases so"
        remedy = "divide anew with another --salt (cases change their part), or add cases"
    else:
        told = f"none of {_DRAWS} draws of {counted(free, 'group')} of cases with these shares gives it one"
        remedy = "give it a larger share, or 0"
    return GoldenSetError(f"{what}: {told}", remedy=f"{remedy}; nothing was written")


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
