"""How sensitive a document is: the labels, and their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Sensitivity = Literal["", "public", "internal", "confidential", "restricted"]  # "": not said
SENSITIVITIES = ("public", "internal", "confidential", "restricted")  # ever stricter


def strictest(labels: Iterable[object]) -> str:
    """The strictest of the labels, "" when there is none ("" and None are no labels).

    A label that nobody knows counts as the strictest there is: a typing error must not open a document.
    """
    ranks = [_rank(label) for label in labels if label is not None and label != ""]
    return SENSITIVITIES[max(ranks)] if ranks else ""


def _rank(label: object) -> int:
    return SENSITIVITIES.index(label) if label in SENSITIVITIES else len(SENSITIVITIES) - 1
