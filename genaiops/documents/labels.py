"""Who may read a document, and how sensitive it is: said by its source, by itself, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from genaiops.documents.loading import Quarantined
from genaiops.records import Document
from genaiops.sensitivity import SENSITIVITIES

_KEYS = ("sensitivity", "access")


def labelled(document: Document, sensitivity: str, access: Sequence[str] | None) -> Document | Quarantined:
    """`document` with the labels of its source joined to its own: the stricter sensitivity, the labels both name.

    A label of its own that cannot be understood quarantines it, since guessing could open it to everybody.
    """
    own = document.metadata
    for key in own:
        if key not in _KEYS and key.strip().casefold() in _KEYS:
            return _refused(document, key, f"written {key.strip().casefold()!r} to be a label", own[key])
    if "sensitivity" not in own and "access" not in own and not sensitivity and access is None:
        return document
    metadata = dict(own)
    if "sensitivity" in own or sensitivity:
        given = [value for value in (own.get("sensitivity", ""), sensitivity) if value != ""]
        unknown = [value for value in given if value not in SENSITIVITIES]
        if unknown or not given:
            return _refused(document, "sensitivity", f"one of {', '.join(SENSITIVITIES)}", own["sensitivity"])
        metadata["sensitivity"] = max(given, key=SENSITIVITIES.index)
    if "access" in own or access is not None:
        labels = _labels(own["access"]) if "access" in own else None
        if "access" in own and labels is None:
            return _refused(document, "access", "a label or a list of labels", own["access"])
        joined = [set(given) for given in (labels, access) if given is not None]
        metadata["access"] = sorted(set.intersection(*joined))
    return replace(document, metadata=metadata)


def _labels(value: Any) -> list[str] | None:
    """None for what is neither a label nor a list of them."""
    labels = [value] if isinstance(value, str) else value
    if not isinstance(labels, (list, tuple)) or not all(isinstance(label, str) and label.strip() for label in labels):
        return None
    return list(labels)


def _refused(document: Document, key: str, wanted: str, got: Any) -> Quarantined:
    return Quarantined(document.id, f"metadata {key!r} must be {wanted}, got {got!r:.80}")
