"""Makes the passports of the shipped judges; prints their figures as Markdown tables.

    GENAIOPS_DATA=... python -m benchmarks.judges.passports [--write] [MEASURE…]

With --write the files in genaiops/evaluation/passports/shipped/ are replaced, and the
tables in docs/judges.md with them. Only figures get there, no row. To be run after every
change of a judge: a test compares the digests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.judges.data import (
    FITTED,
    MEASURE_ONLY,
    Remembering,
    groundedness_rows,
    sample_of,
)
from benchmarks.judges.labels import CHOSEN_ON, completeness_labels, utilization_labels
from benchmarks.judges.relevance import held_out_experts, right_answers
from benchmarks.judges.relevance_pairs import wrong_pairs
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.passports import Labelled, Passport, calibrate
from genaiops.evaluation.passports.record import Figure
from genaiops.evaluation.passports.shelf import SHIPPED
from genaiops.evaluation.records import Sample

PAGE = Path(__file__).parents[2] / "docs" / "judges.md"
EXPERTS = "HaluQuestQA, experts"
CONSTRUCTED = ("relevance", "completeness", "utilization")  # all their sources but the experts
CONTRADICTIONS = "SciFact, support against contradict"


def groundedness_labels() -> list[Labelled]:
    """Every row of the four sources; those of SciFact that contradict, once more against those that support."""
    found = []
    for source in (*FITTED, *MEASURE_ONLY):
        for row in groundedness_rows(source):
            label = float(row["grounded"])
            found.append(Labelled(sample_of(row), label, source))
            if source == "SciFact" and row["label_raw"] != "NOINFO":
                found.append(Labelled(sample_of(row), label, CONTRADICTIONS))
    return found


def relevance_labels(embedder: Embedder) -> list[Labelled]:
    """Experts' verdicts, and right answers against wrong ones of each kind; nothing that was fitted on."""
    pairs, verdicts = held_out_experts()
    found = [Labelled(_sample(*pair), float(label), EXPERTS) for pair, label in zip(pairs, verdicts, strict=True)]
    for name, right in right_answers().items():
        for kind, wrong in wrong_pairs(right, embedder).items():
            found += [Labelled(_sample(*pair), 1.0, f"{name}, {kind}") for pair in right]
            found += [Labelled(_sample(*pair), 0.0, f"{name}, {kind}") for pair in wrong]
    return found


def once(rows: Sequence[Labelled]) -> list[Labelled]:
    """Every answer once within its source, with the mean of the labels it got."""
    found: dict[tuple[str, str, str, str, tuple[str, ...]], list[Labelled]] = {}
    for row in rows:
        sample = row.sample
        key = (row.source, sample.question, sample.answer, sample.reference, tuple(sample.contexts))
        found.setdefault(key, []).append(row)
    return [replace(same[0], label=fmean(row.label for row in same)) for same in found.values()]


def _sample(question: str, answer: str) -> Sample:
    return Sample("", question, answer)


def table(passport: Passport) -> str:
    """The figures of a passport as a Markdown table."""
    lines = ["| labels | n | AUROC | balanced accuracy at 0.5 | kappa |", "|---|---|---|---|---|"]
    for source in passport.sources:
        name = f"{source.source}{' (fitted on)' if source.seen else ''}{' (made)' if source.constructed else ''}"
        figures = (source.auroc, source.balanced_accuracy, source.kappa)
        lines.append(f"| {name} | {source.n:,} | {' | '.join(map(_shown, figures))} |")
    return "\n".join(lines)


def _shown(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})"


def written_into(page: str, passport: Passport) -> str:
    """The page with the table under this judge's heading replaced."""
    heading = f"### Passport of the {passport.measure} judge"
    found = re.search(rf"^{heading}\n.*?(^\|[^#]*?\n)(?=\n)", page, flags=re.M | re.S)
    if found is None:
        sys.exit(f"{PAGE} has no table under {heading!r}")
    return page[: found.start(1)] + table(passport) + "\n" + page[found.end(1) :]


def main() -> None:
    embedder = Remembering(default_embedder())
    labels = {
        "relevance": lambda: relevance_labels(embedder),
        "groundedness": groundedness_labels,
        "completeness": completeness_labels,
        "utilization": utilization_labels,
    }
    wanted = [argument for argument in sys.argv[1:] if argument != "--write"] or list(labels)
    for measure in wanted:
        rows = once(labels[measure]())
        made = {row.source for row in rows} - {EXPERTS} if measure in CONSTRUCTED else ()
        passport = calibrate(JUDGES[measure](embedder), rows, seen=(*FITTED, *CHOSEN_ON), constructed=made)
        print(f"{measure}, judge {passport.judge[:12]}\n\n{table(passport)}\n")
        if "--write" in sys.argv:
            passport.save(SHIPPED / f"{measure}.json")
            PAGE.write_text(written_into(PAGE.read_text(encoding="utf-8"), passport), encoding="utf-8")


if __name__ == "__main__":
    main()
