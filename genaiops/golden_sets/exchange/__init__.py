"""Golden sets of other tools: read into cases, and written from them. What a format cannot hold is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from genaiops.errors import ConfigurationError
from genaiops.golden_sets.exchange import beir, flat, nested
from genaiops.golden_sets.exchange.items import Item, Losses, cases_of
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.records import Case, CaseKind

T = TypeVar("T")
Importer = Callable[[Path, Losses], list[Item]]
Exporter = Callable[[GoldenSet, Mapping[str, str], Losses], Mapping[str, str]]  # file name ("": the file) → content
IMPORTERS: dict[str, Importer] = {
    "ragas": flat.read_ragas,
    "deepeval": flat.read_deepeval,
    "mlflow": nested.read_mlflow,
    "promptfoo": nested.read_promptfoo,
    "azure": flat.read_azure,
    "beir": beir.read_beir,
    "langsmith": nested.read_langsmith,
    "csv": flat.read_csv,
}
EXPORTERS: dict[str, Exporter] = {
    "ragas": lambda golden, texts, losses: {"": flat.write_ragas(golden, losses)},
    "deepeval": lambda golden, texts, losses: {"": flat.write_deepeval(golden, losses)},
    "mlflow": lambda golden, texts, losses: {"": nested.write_mlflow(golden, losses)},
    "promptfoo": lambda golden, texts, losses: {"": nested.write_promptfoo(golden, losses)},
    "azure": lambda golden, texts, losses: {"": flat.write_azure(golden, losses)},
    "beir": beir.write_beir,
    "langsmith": lambda golden, texts, losses: {"": nested.write_langsmith(golden, losses)},
    "csv": lambda golden, texts, losses: {"": flat.write_table(golden, losses)},
}


@dataclass(frozen=True, slots=True)
class Imported:
    """The cases of a foreign file, and what was lost (what → in how many rows)."""

    cases: tuple[Case, ...]
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Exported:
    """File name → content ("" names the file itself), and what was lost (what → in how many cases)."""

    files: Mapping[str, str]
    lost: Mapping[str, int]


def import_cases(path: Path, form: str, texts: Mapping[str, str], *, kind: CaseKind = "answerable") -> Imported:
    """Read a foreign file. `texts` are the documents that its contexts are looked up in.

    Rows that do not tell their kind are of `kind`. Raises ConfigurationError for a format nobody knows, NotFound and
    GoldenSetError for a file that cannot be read.
    """
    losses: Losses = Counter()
    items = _named(IMPORTERS, form)(path, losses)
    return Imported(tuple(cases_of(items, texts, form, kind, losses)), dict(losses))


def export_cases(golden: GoldenSet, form: str, texts: Mapping[str, str]) -> Exported:
    """Write a golden set in a foreign format. Raises ConfigurationError for a format nobody knows."""
    losses: Losses = Counter()
    files = _named(EXPORTERS, form)(golden, texts, losses)
    return Exported(files, dict(losses))


def _named(known: Mapping[str, T], form: str) -> T:
    if form not in known:
        raise ConfigurationError(f"there is no format {form!r}", remedy=f"formats are {', '.join(known)}")
    return known[form]


__all__ = ["EXPORTERS", "IMPORTERS", "Exported", "Imported", "export_cases", "import_cases"]
