"""Outcomes as plain JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genaiops.records import NotApplicable, Outcome, Score, Unscored


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """`{"value": v}` (with its `parts` or `votes`, if any), `{"unscored": reason}` or `{"not_applicable": reason}`."""
    if isinstance(outcome, Score):
        more = {"parts": dict(outcome.parts), "votes": list(outcome.votes)}
        return {"value": outcome.value, **{name: value for name, value in more.items() if value}}
    return {"unscored" if isinstance(outcome, Unscored) else "not_applicable": outcome.reason}


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """The outcome that `outcome_to_json` wrote; ValueError for anything else."""
    match dict(data):
        case {"value": int() | float() as value}:
            parts = {str(key): float(count) for key, count in data.get("parts", {}).items()}
            votes = tuple(float(vote) for vote in data.get("votes", ()))
            return Score(float(value), parts=tuple(parts.items()), votes=votes)
        case {"unscored": str() as reason}:
            return Unscored(reason)
        case {"not_applicable": str() as reason}:
            return NotApplicable(reason)
    raise ValueError(f"not an outcome: {data!r}")
