"""Sensitivity labels and their order."""

from __future__ import annotations

from collections.abc import Iterable

SENSITIVITIES = ("public", "internal", "confidential", "restricted")  # ever stricter


def check_sensitivity(label: object) -> str:
    """`label`, if it is one of SENSITIVITIES; else ValueError that lists them."""
    if not isinstance(label, str) or label not in SENSITIVITIES:
        raise ValueError(f"no sensitivity {label!r}; there is {', '.join(SENSITIVITIES)}")
    return label


def strictest(labels: Iterable[object]) -> str:
    """The strictest of the labels, "" when there is none ("" and None are no labels).

    A label that nobody knows counts as the strictest there is: a typing error must not open a document.
    """
    ranks = [_rank(label) for label in labels if label is not None and label != ""]
    return SENSITIVITIES[max(ranks)] if ranks else ""


def _rank(label: object) -> int:
    return SENSITIVITIES.index(label) if label in SENSITIVITIES else len(SENSITIVITIES) - 1
