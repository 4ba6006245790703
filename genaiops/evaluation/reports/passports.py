"""What is known of the judges of a run, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genaiops.evaluation.records import Run


def passport_lines(run: Run) -> list[tuple[str, str]]:
    """(measure, its judge's passport in a line) for every measure whose judge's passport the run holds."""
    held: Mapping[str, Any] = getattr(run, "passports", {})  # runs of before there were passports have none
    return [(measure, _line(passport)) for measure, passport in held.items()]


def _line(passport: Any) -> str:
    """Figures are told for each source of labels and never pooled: the sources differ in what they ask."""
    sources = [
        f"{source.source}: AUROC {_value(source.auroc)}, balanced accuracy {_value(source.balanced_accuracy)}, "
        f"n {source.n:,}"
        for source in passport.sources
    ]
    retired = f"; retired: {passport.retired}" if getattr(passport, "retired", "") else ""
    return f"{'; '.join(sources) or 'no figures'}; until {passport.expires_at}{retired}"


def _value(figure: Any) -> str:
    value = getattr(figure, "value", figure)
    return "unknown" if value is None else f"{value:.2f}"
