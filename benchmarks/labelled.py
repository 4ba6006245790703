"""Retrieval sets with relevance labels, and nDCG over documents computed by ir-measures."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.places import WELL_ARCHITECTED, data, project, sources
from genaiops.embedding import Vectors
from genaiops.embedding.protocol import Progress, silent
from genaiops.flow import Flow
from genaiops.records import Query
from genaiops.retrieval import RetrievalSettings

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.indexing.snapshot import Index

CUTOFF = 10
_DEPTH = 100  # chunks searched, so that ten different documents are among them


@dataclass(frozen=True, slots=True)
class Labelled:
    """Documents to index, questions, and for each question the relevant documents by the id an index gives them."""

    name: str
    source: Path
    queries: tuple[Query, ...]
    relevant: Mapping[str, Mapping[str, int]]


def well_architected() -> Labelled:
    """199 pages of the Azure Well-Architected Framework; the questions are the pages' own descriptions."""
    source = data("corpora/azure_well_architected")
    ids = {path.relative_to(source).as_posix(): path.relative_to(source).as_posix() for path in source.rglob("*.md")}
    return _labelled("Well-Architected", source, data("retrieval/azure_well_architected"), ids)


def scifact() -> Labelled:
    """5,183 abstracts and 809 claims of BEIR SciFact, for measuring only."""
    folder = data("retrieval/scifact")
    source = folder / "corpus.jsonl"
    ids = {row["doc_id"]: f"{source.name}#{row['doc_id']}" for row in _rows(source)}
    return _labelled("SciFact", source, folder, ids)


def _labelled(name: str, source: Path, folder: Path, ids: Mapping[str, str]) -> Labelled:
    """`ids` maps the labels' document ids to ours. Raises ValueError for a label that points nowhere."""
    queries = tuple(Query(row["text"], row["query_id"]) for row in _rows(folder / "queries.jsonl"))
    relevant: dict[str, dict[str, int]] = {query.id: {} for query in queries}
    with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if row["doc_id"] not in ids or row["query_id"] not in relevant:
                raise ValueError(f"{name}: the label {row['query_id']} → {row['doc_id']} names no query or document")
            relevant[row["query_id"]][ids[row["doc_id"]]] = int(row["score"])
    if bare := [query_id for query_id, found in relevant.items() if not found]:
        raise ValueError(f"{name}: {len(bare)} queries have no label, the first is {bare[0]}")
    return Labelled(name, source, queries, relevant)


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def built(labelled: Labelled, *settings: str) -> tuple[Flow, Index]:
    """The flow over the labelled documents and its open index. Raises ValueError when a relevant one is missing."""
    from genaiops.indexing.snapshot import load_index

    flow = Flow.load(WELL_ARCHITECTED, overrides=[sources(labelled.source), *settings], project=project())
    flow.build()
    index = load_index(flow.project.indexes / flow.index_id, embedder=flow.embedder.fingerprint)
    indexed = {chunk.document_id for chunk in index.chunks}
    if lost := {document for found in labelled.relevant.values() for document in found} - indexed:
        raise ValueError(f"{labelled.name}: {len(lost)} relevant documents are not in the index, such as {min(lost)}")
    return flow, index


class Remembered:
    """An embedder that has embedded the questions already, so that many settings can be compared quickly."""

    def __init__(self, embedder: Embedder, texts: Sequence[str]) -> None:
        self.fingerprint, self.dimension = embedder.fingerprint, embedder.dimension
        self._vectors = dict(zip(texts, embedder.embed(texts), strict=True))

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        import numpy as np

        return np.stack([self._vectors[text] for text in texts])


def ndcg(labelled: Labelled, index: Index, embedder: Embedder, settings: RetrievalSettings) -> float:
    """Mean nDCG@10 over documents, each ranked by its best chunk, as ir-measures computes it."""
    import ir_measures

    from genaiops.retrieval.retrievers import retriever_for

    retriever = retriever_for(settings, index, embedder)
    run: dict[str, dict[str, float]] = {}
    for query in labelled.queries:
        best: dict[str, float] = {}
        for hit in retriever.retrieve(query, _DEPTH):
            # By rank, not by score: ir-measures breaks ties by id, we by position.
            best.setdefault(hit.chunk.document_id, -float(hit.rank))
        run[query.id] = best
    measure = ir_measures.nDCG @ CUTOFF
    return float(ir_measures.calc_aggregate([measure], labelled.relevant, run)[measure])
