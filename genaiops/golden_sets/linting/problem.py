"""One finding of lint, and what the checks look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.pins import NO_PINS, Pins
from genaiops.golden_sets.similarity import Embed

Severity = Literal["error", "warning", "note"]
ENOUGH_TO_JUDGE = 10  # cases from which a set is judged as a whole


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `case_id` is empty and `line` None for a finding about the whole set.

    An `error` makes scores wrong (evidence nobody can retrieve); a `warning` makes
    them weaker or harder to read; a `note` says what more the set could ask. `code` names the kind of finding.
    """

    case_id: str
    line: int | None
    what: str
    remedy: str
    severity: Severity = "error"
    code: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """A golden set with what it is checked against.

    `texts` are the documents (id → text), `prompts` the texts of prompt files (name → text), `pins` the lock file.
    Without `embed`, questions are compared by their words alone.
    """

    golden: GoldenSet
    texts: Mapping[str, str]
    prompts: Mapping[str, str] = field(default_factory=dict)
    pins: Pins = NO_PINS
    embed: Embed | None = None


def shown(text: str, longest: int = 80) -> str:
    """A text as a finding shows it: quoted, and cut when it is long."""
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")
