"""Retrieval sets with relevance labels, and nDCG over documents computed by ir-measures."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import PeersAbsent, run_peer
from benchmarks.places import WELL_ARCHITECTED, project, sources
from benchmarks.reporting import Figure, Report, Table, at_least
from genaiops.embedding import Vectors
from genaiops.embedding.protocol import Progress, silent
from genaiops.flow import Flow
from genaiops.records import Query
from genaiops.retrieval import RetrievalSettings

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.indexing.snapshot import Index

CUTOFF = 10
MIN_MAX_WEIGHTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
STANDARD_WEIGHTS = (0.5, 0.6, 0.7, 0.8, 0.9)
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


def searched(labelled: Labelled, asked: float, beforehand: Mapping[str, float]) -> Report:
    """Search every question in every way, beside LangChain in the same run and what was measured `beforehand`.

    `asked` is what the default must reach.
    """
    flow, index = built(labelled)
    embedder = Remembered(flow.embedder, [query.text for query in labelled.queries])
    ours = {name: ndcg(labelled, index, embedder, settings) for name, settings in _ways().items()}
    default, better = ours["default"], max(ours["vector"], ours["full text"])
    peers, note = _peers(labelled, index, embedder)
    return Report(
        f"{labelled.name}: nDCG@{CUTOFF} over documents, {len(labelled.queries)} questions",
        (
            Figure("vector", f"{ours['vector']:.3f}"),
            Figure("full text", f"{ours['full text']:.3f}"),
            at_least("hybrid, nothing tuned", default, asked, digits=3),
            Figure("hybrid against its better leg", f"{default:.3f}", f"≥ {better:.3f}", default >= better),
        ),
        (
            Table("Each way to search:", ("search", f"nDCG@{CUTOFF}"), _shown(ours)),
            Table(f"LangChain on our chunks and vectors, in this run{note}:", ("search", f"nDCG@{CUTOFF}"), peers),
            Table("Measured beforehand, not beside ours:", ("search", f"nDCG@{CUTOFF}"), _shown(beforehand)),
        ),
        (
            "A document counts by its best chunk. Scored by ir-measures. `min–max W` is `fusion: min_max` and "
            "`weighted W` the default fusion, with that `vector_weight`. How the default was chosen, and on what: "
            "docs/retrieval.md. No constant was fitted on SciFact, though its mean was looked at after three designs; "
            "Well-Architected took part in the choice, so there the default is optimistic.",
        ),
    )


def _ways() -> dict[str, RetrievalSettings]:
    return {
        "vector": RetrievalSettings(search="vector"),
        "full text": RetrievalSettings(search="full_text"),
        "reciprocal rank": RetrievalSettings(fusion="reciprocal_rank"),
        **{f"min–max {w}": RetrievalSettings(fusion="min_max", vector_weight=w) for w in MIN_MAX_WEIGHTS},
        **{f"weighted {w}": RetrievalSettings(vector_weight=w) for w in STANDARD_WEIGHTS},
        "default": RetrievalSettings(),
    }


def _shown(values: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    return tuple((name, f"{value:.3f}") for name, value in values.items())


def _peers(labelled: Labelled, index: Index, embedder: Embedder) -> tuple[tuple[tuple[str, str], ...], str]:
    """LangChain's retrievers, and which versions they were."""
    import numpy as np

    texts = [query.text for query in labelled.queries]
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        files = {key: str(Path(name) / f"{key}.npy") for key in ("vectors", "query_vectors")}
        np.save(files["vectors"], index.vectors.reconstruct(range(len(index.chunks))))
        np.save(files["query_vectors"], embedder.embed(texts))
        payload = {"texts": [chunk.indexed_text for chunk in index.chunks], "queries": texts, "k": _DEPTH, **files}
        try:
            found = run_peer("langchain_retrieval", payload)
        except PeersAbsent as absent:
            return (("BM25Retriever", f"not measured: {absent}"), ("EnsembleRetriever", "not measured")), ""
    rankings = {
        name: {
            query.id: list(dict.fromkeys(index.chunks[position].document_id for position in positions))
            for query, positions in zip(labelled.queries, found[name], strict=True)
        }
        for name in ("BM25Retriever", "EnsembleRetriever")
    }
    values = {name: _ndcg(labelled, ranking) for name, ranking in rankings.items()}
    return _shown(values), f" ({', '.join(' '.join(pair) for pair in found['versions'].items())})"


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
    from genaiops.retrieval.retrievers import retriever_for

    retriever = retriever_for(settings, index, embedder)
    found = {
        query.id: [hit.chunk.document_id for hit in retriever.retrieve(query, _DEPTH)] for query in labelled.queries
    }
    return _ndcg(labelled, {name: list(dict.fromkeys(documents)) for name, documents in found.items()})


def _ndcg(labelled: Labelled, rankings: Mapping[str, Sequence[str]]) -> float:
    import ir_measures

    # By rank, not by score: ir-measures breaks ties by id, we by position.
    run = {
        name: {document: -float(rank) for rank, document in enumerate(ranking)} for name, ranking in rankings.items()
    }
    measure = ir_measures.nDCG @ CUTOFF
    return float(ir_measures.calc_aggregate([measure], labelled.relevant, run)[measure])
