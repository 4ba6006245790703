"""276 questions with exact evidence spans, evaluated end to end as a golden set, and character by character.

GENAIOPS_DATA=... python -m benchmarks.spans
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.places import FLOWS, data, project, sources
from benchmarks.reporting import Figure, Report, Table, alone
from genaiops.delivery import evaluate_flow
from genaiops.evaluation import Run
from genaiops.flow import Flow
from genaiops.records import Chunk, Summary

Span = tuple[int, int]
SEARCHES = ("vector", "hybrid")
TOP = 5
# Recall, precision and IoU in per cent at five chunks, vector leg | with reciprocal rank fusion, mean chunk length.
BEFOREHAND = (
    ("LangChain recursive, 200 tokens", "86.9 / 5.70 / 5.68", "93.4 / 5.93 / 5.92", "643"),
    ("LangChain recursive, 1,000 characters, overlap 200", "87.4 / 5.58 / 5.57", "93.4 / 5.80 / 5.77", "745"),
    ("LangChain recursive, 400 tokens, overlap 200", "92.2 / 2.99 / 2.99", "97.6 / 3.09 / 3.09", "1467"),
    ("chonkie sentence, 200 tokens", "84.8 / 5.22 / 5.20", "93.0 / 5.53 / 5.50", "819"),
    ("chonkie semantic", "79.6 / 7.93 / 7.82", "82.8 / 7.93 / 7.85", "420"),
    ("LlamaIndex sentence, 200 tokens", "83.4 / 5.30 / 5.28", "88.2 / 5.56 / 5.53", "753"),
    ("Haystack, 200 words", "88.5 / 4.18 / 4.17", "92.6 / 4.33 / 4.32", "1267"),
)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How well the characters of the chunks found match those of the evidence, each in [0, 1]."""

    recall: float
    precision: float
    iou: float


def measure() -> Report:
    """Documents and questions become a flow's sources and golden set; both searches are evaluated like any flow."""
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        folder = Path(name)
        evidence = write_golden_set(folder)
        figures: list[Figure] = []
        rows: list[tuple[str, ...]] = []
        for search in SEARCHES:
            settings = [sources(folder / "documents"), f"evaluation.golden_set={folder / 'golden.jsonl'}"]
            flow = Flow.load(FLOWS / "spans", overrides=[*settings, f"retrieval.search={search}"], project=project())
            flow.build()
            run = evaluate_flow(flow).run
            figures += [Figure(f"{search}: {summary.measure}", _shown(summary)) for summary in run.summaries]
            overlap = mean_of(overlaps(run, evidence))
            length = statistics.mean(chunk.end - chunk.start for chunk in flow.chunks())
            rows.append((f"genaiops, {search}", percent(overlap), f"{length:.0f}"))
    head = ("search", "recall / precision / IoU, %", "mean chunk, characters")
    peer_head = ("chunker", "vector", "reciprocal rank fusion with BM25", "mean chunk, characters")
    return Report(
        f"Evidence spans: {len(evidence)} questions over three texts",
        tuple(figures),
        (
            Table(f"Characters of the first {TOP} chunks against those of the evidence:", head, tuple(rows)),
            Table("Measured beforehand on the same questions, five chunks:", peer_head, BEFOREHAND),
        ),
        ("Precision counts a character as often as it is retrieved, as in the peers' figures.",),
    )


def write_golden_set(folder: Path) -> dict[str, dict[str, list[Span]]]:
    """Write `documents/` and `golden.jsonl` into `folder`; returns the evidence spans by case and document.

    Raises ValueError when a span does not read as its text says.
    """
    questions = data("chunking/questions.jsonl")
    shutil.copytree(data("chunking/corpora"), folder / "documents")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "documents").glob("*.md")}
    spans: dict[str, dict[str, list[Span]]] = {}
    cases = []
    for line in questions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        document = f"{row['corpus']}.md"
        for reference in row["references"]:
            if texts[row["corpus"]][reference["start"] : reference["end"]] != reference["text"]:
                raise ValueError(f"{row['id']}: the span {reference['start']}-{reference['end']} reads otherwise")
        spans[row["id"]] = {document: [(reference["start"], reference["end"]) for reference in row["references"]]}
        quotes = [{"document": document, "quote": reference["text"]} for reference in row["references"]]
        cases.append({"id": row["id"], "question": row["question"], "kind": "answerable", "evidence": quotes})
    content = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    (folder / "golden.jsonl").write_text(content, encoding="utf-8")
    return spans


def overlaps(run: Run, evidence: dict[str, dict[str, list[Span]]]) -> list[Overlap]:
    """One Overlap per case. Raises ValueError for a case that got no answer."""
    found = []
    for result in run.results:
        if result.answer is None:
            raise ValueError(f"case {result.case.id} failed: {result.error}")
        found.append(overlap_of([hit.chunk for hit in result.answer.hits[:TOP]], evidence[result.case.id]))
    return found


def overlap_of(retrieved: Sequence[Chunk], wanted: Mapping[str, Sequence[Span]]) -> Overlap:
    """How well the retrieved chunks cover the spans wanted of each document."""
    relevant = {(document, place) for document, spans in wanted.items() for place in _places(spans)}
    seen = {(chunk.document_id, place) for chunk in retrieved for place in range(chunk.start, chunk.end)}
    characters = sum(chunk.end - chunk.start for chunk in retrieved)
    both = len(relevant & seen)
    return Overlap(both / len(relevant), both / characters, both / (characters + len(relevant) - both))


def _places(spans: Iterable[Span]) -> set[int]:
    return {place for start, end in spans for place in range(start, end)}


def mean_of(found: Sequence[Overlap]) -> Overlap:
    return Overlap(
        statistics.mean(one.recall for one in found),
        statistics.mean(one.precision for one in found),
        statistics.mean(one.iou for one in found),
    )


def percent(overlap: Overlap) -> str:
    return f"{100 * overlap.recall:.1f} / {100 * overlap.precision:.2f} / {100 * overlap.iou:.2f}"


def _shown(summary: Summary) -> str:
    if summary.mean is None or summary.low is None or summary.high is None:
        return "not scored"
    coverage = "" if summary.coverage == 1 else f", coverage {summary.coverage:.2f}"
    return f"{summary.mean:.3f} ({summary.low:.3f}–{summary.high:.3f}){coverage}"


if __name__ == "__main__":
    alone(measure)
