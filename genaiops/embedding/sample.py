"""Texts like those of real corpora, for timing and comparing what computes vectors."""

from __future__ import annotations

_CLAUSES = (
    "The index is published with one rename, so a reader never sees a part of it.",
    "Version 3.2 keeps 14 days of history unless retention says otherwise.",
    "When two of five replicas are lost, writes stop and reads go on.",
    "| measure | mean | interval |\n| recall@6 | 0.93 | 0.88 to 0.97 |",
    "Why does a gate that saw too few questions refuse to decide?",
    "def rollback(environment): return registry.move(environment, previous)",
    "Keep the overlap small: repeated text costs tokens and crowds out other passages.",
    "An operator who loses a key revokes it, makes another, and reads the audit log.",
)
# 48 texts of 80 to 640 characters: short questions to full chunks, like real input.
SAMPLE = [" ".join(_CLAUSES[(i + j * 3) % len(_CLAUSES)] for j in range(1 + i % 8)) for i in range(48)]
