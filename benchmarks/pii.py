"""Redaction by rules on presidio's synthetic sentences: precision, recall and F per kind.

GENAIOPS_DATA=... python -m benchmarks.pii
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.labelled import rows
from benchmarks.places import data
from benchmarks.reporting import Figure, Report, Table, alone, at_least
from genaiops.cleansing.pii import redactor_for
from genaiops.cleansing.settings import PiiSettings

# Our kind → the label of that set. Its other labels (PERSON, STREET_ADDRESS, …) are no structured kinds.
LABELS: Mapping[str, str] = {
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "iban": "IBAN_CODE",
    "card": "CREDIT_CARD",
    "us_ssn": "US_SSN",
    "url": "DOMAIN_NAME",
    "driver_licence": "US_DRIVER_LICENSE",
}


class Counts(NamedTuple):
    """Spans of one kind: found and labelled, found only, labelled only."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0

    @property
    def f(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def matched(found: Sequence[tuple[int, int]], labelled: Sequence[tuple[int, int]]) -> int:
    """How many pairs agree, each span used once: the characters they share are at least half of those of either."""
    left = list(labelled)
    count = 0
    for start, end in found:
        for span in left:
            shared = min(end, span[1]) - max(start, span[0])
            if shared > 0 and 2 * shared >= max(end, span[1]) - min(start, span[0]):
                left.remove(span)
                count += 1
                break
    return count


def counted(documents: Sequence[Mapping[str, Any]]) -> dict[str, Counts]:
    """Per kind, over all sentences: what was found is held against the labels of that kind only."""
    redactor = redactor_for(list(LABELS), PiiSettings())
    totals = dict.fromkeys(LABELS, Counts(0, 0, 0))
    for document in documents:
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        labelled: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for start, end, kind in redactor.find(document["text"]):
            found[kind].append((start, end))
        for span in document["spans"]:
            labelled[span["type"]].append((span["start"], span["end"]))
        for kind, label in LABELS.items():
            right = matched(found[kind], labelled[label])
            more = Counts(right, len(found[kind]) - right, len(labelled[label]) - right)
            totals[kind] = Counts(*(a + b for a, b in zip(totals[kind], more, strict=True)))
    return totals


def measure() -> Report:
    """Every structured kind that the set labels, with rules alone and default settings."""
    documents = rows(data("pii") / "presidio_train.jsonl")
    counted(documents[:20])  # loads what is loaded once
    start = time.process_time()
    totals = counted(documents)
    seconds = time.process_time() - start
    characters = sum(len(document["text"]) for document in documents)
    table = tuple(
        (kind, LABELS[kind], str(n.right + n.missed), f"{n.precision:.3f}", f"{n.recall:.3f}", f"{n.f:.3f}")
        for kind, n in totals.items()
    )
    return Report(
        f"PII by rules: {len(documents)} sentences of presidio-research",
        (
            *(at_least(f"F, {kind}", n.f, 0.95, digits=3) for kind, n in totals.items()),
            Figure("processor time", f"{seconds / characters * 1e6:.2f} s per million characters"),
        ),
        (Table("Spans per kind:", ("kind", "label", "labelled", "precision", "recall", "F"), table),),
        (
            "A found span is right when a labelled one of its kind shares with it at least half of the characters that "
            "the two cover together; each is used once. The words that mark a phone number (call, answer, …) were "
            "chosen with these sentences in view, so the row of phones is no estimate for other texts. Names, "
            "addresses and dates are not found by rules.",
        ),
    )


if __name__ == "__main__":
    alone(measure)
