"""Retrieval sets with relevance labels, and nDCG over documents computed by ir-measures."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.places import WELL_ARCHITECTED, project, sources
from benchmarks.reporting import Figure, Report, Table
from genaiops.embedding import Vectors
from genaiops.embedding.protocol import Progress, silent
from genaiops.flow import Flow
from genaiops.records import Query
from genaiops.retrieval import RetrievalSettings

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.indexing.snapshot import Index

CUTOFF = 10
WEIGHTS = tuple(tenth / 10 for tenth in range(3, 10))
ENRICHMENTS = ("[heading_path]", "[]")
_DEPTH = 100  # chunks searched, so that ten different documents are among them


@dataclass(frozen=True, slots=True)
class Labelled:
    """Documents to index, questions, and for each question the relevant documents by the id an index gives them."""

    name: str
    source: Path
    queries: tuple[Query, ...]
    relevant: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, name: str, source: Path, folder: Path, ids: Mapping[str, str]) -> Labelled:
        """`folder` holds `queries.jsonl` and `qrels.tsv`; `ids` maps the document ids of the labels to ours.

        Raises ValueError for a label that points nowhere and for a query without a label.
        """
        queries = tuple(Query(row["text"], row["query_id"]) for row in rows(folder / "queries.jsonl"))
        relevant: dict[str, dict[str, int]] = {query.id: {} for query in queries}
        with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                if row["doc_id"] not in ids or row["query_id"] not in relevant:
                    raise ValueError(
                        f"{name}: the label {row['query_id']} → {row['doc_id']} names no query or document"
                    )
                relevant[row["query_id"]][ids[row["doc_id"]]] = int(row["score"])
        if bare := [query_id for query_id, found in relevant.items() if not found]:
            raise ValueError(f"{name}: {len(bare)} queries have no label, the first is {bare[0]}")
        return cls(name, source, queries, relevant)


def searched(labelled: Labelled, beforehand: Mapping[str, float]) -> Report:
    """Search every question in every way and put it beside what was measured `beforehand`."""
    found = {enrichment: _values(labelled, enrichment) for enrichment in ENRICHMENTS}
    ours = found[ENRICHMENTS[0]]
    hybrid = ours[f"hybrid {RetrievalSettings().vector_weight}"]
    better = max(ours["vector"], ours["full text"])
    names = ("enrichment", *ours)
    table = tuple((enrichment, *(f"{value:.3f}" for value in values.values())) for enrichment, values in found.items())
    peers = tuple((way, f"{value:.3f}") for way, value in beforehand.items())
    return Report(
        f"{labelled.name}: nDCG@{CUTOFF} over documents, {len(labelled.queries)} questions",
        (
            Figure("vector", f"{ours['vector']:.3f}"),
            Figure("full text", f"{ours['full text']:.3f}"),
            Figure("hybrid, default weight", f"{hybrid:.3f}", f"≥ {better:.3f}, its better leg", hybrid >= better),
        ),
        (
            Table("`hybrid W` gives the vector leg the weight W (`retrieval.vector_weight`):", names, table),
            Table("Measured beforehand on the same questions:", ("search", f"nDCG@{CUTOFF}"), peers),
        ),
        (
            "A document counts by its best chunk. Scored by ir-measures. The default weight of 0.6 was chosen on these "
            'very questions, so its row is optimistic; "measured beforehand" rows are figures from an earlier '
            "measurement of the same data, not run beside ours.",
        ),
    )


def _values(labelled: Labelled, enrichment: str) -> dict[str, float]:
    flow, index = built(labelled, f"enrichment={enrichment}")
    embedder = Remembered(flow.embedder, [query.text for query in labelled.queries])
    searches = {
        "vector": RetrievalSettings(search="vector"),
        "full text": RetrievalSettings(search="full_text"),
        **{f"hybrid {weight}": RetrievalSettings(vector_weight=weight) for weight in WEIGHTS},
    }
    return {name: ndcg(labelled, index, embedder, settings) for name, settings in searches.items()}


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file."""
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
