"""How fast documents are cleaned and compared, and how often secrets and instructions to models are seen in clean ones.

GENAIOPS_DATA=... python -m benchmarks.cleansing
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.labelled import rows
from benchmarks.places import data
from benchmarks.reporting import Figure, Report, Table, alone, at_most
from genaiops.cleansing import CleansingSettings, cleaner_for
from genaiops.cleansing.injections import find_injections
from genaiops.cleansing.secret_scan import find_secrets
from genaiops.records import Document

CLEAN_S, AGAIN_S = 0.7, 0.1  # seconds for the Well-Architected files: cleaned and compared, and when nothing changed


def measure(runs: int = 3) -> Report:
    """Speed on the Well-Architected files; then what the scans say of labelled attacks and of clean documents."""
    root = data("corpora/azure_well_architected")
    documents = [
        Document(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8").split("\n---\n", 1)[-1])
        for path in sorted(root.rglob("*.md"))
    ]
    characters = sum(len(document.text) for document in documents)
    first, again = _seconds(documents, runs)
    found = [_attacks(name) for name in ("deepset_train", "bipia_train")]
    clean = [("Well-Architected", [document.text for document in documents])]
    clean += [("SciFact", [row["text"] for row in rows(data("retrieval/scifact") / "corpus.jsonl")])]
    flagged = [(name, "–", f"{_share(texts, find_injections)} of {len(texts)}") for name, texts in clean]
    secrets = sum(_share(texts, find_secrets) for _, texts in clean)
    return Report(
        f"Cleansing: {len(documents)} Markdown files, {characters / 1e6:.1f} million characters",
        (
            at_most("cleaned and compared", first, CLEAN_S, unit=" s"),
            at_most("compared again, nothing changed", again, AGAIN_S, unit=" s"),
            Figure("documents taken for secrets in clean sets", str(secrets), "0", secrets == 0),
        ),
        (Table("Instructions aimed at models:", ("set", "found", "false alarms"), (*found, *flagged)),),
        (
            f"Seconds of processor time with default settings, the best of {runs} runs in one process; modules and "
            "models are loaded before. The rules were written with the attacks of both labelled sets in view.",
        ),
    )


def _seconds(documents: Sequence[Document], runs: int) -> tuple[float, float]:
    """Cleaning and comparing all of it, and comparing when the signatures are known: the least of some runs."""
    first, again = [], []
    for _ in range(runs + 1):  # the first one loads modules and counts for nothing
        with TemporaryDirectory() as folder:
            cleaner = cleaner_for(CleansingSettings(), cache=Path(folder) / "cache.db")
            start = time.process_time()
            kept = [outcome for outcome in map(cleaner.clean, documents) if isinstance(outcome, Document)]
            cleaner.compare(kept)
            middle = time.process_time()
            cleaner.compare(kept)
            first.append(middle - start)
            again.append(time.process_time() - middle)
    return min(first[1:]), min(again[1:])


def _attacks(name: str) -> tuple[str, str, str]:
    """Name of a labelled set, attacks found in it, and false alarms."""
    texts: dict[int, list[str]] = {0: [], 1: []}
    for row in rows(data("injection") / f"{name}.jsonl"):
        texts[row["label"]].append(row["text"])
    hits = {label: _share(texts[label], find_injections) for label in texts}
    return name, f"{hits[1]} of {len(texts[1])}", f"{hits[0]} of {len(texts[0])}"


def _share(texts: Sequence[str], find: Callable[[str], Sequence[object]]) -> int:
    return sum(bool(find(text)) for text in texts)


if __name__ == "__main__":
    alone(measure)
