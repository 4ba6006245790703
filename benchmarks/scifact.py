"""nDCG@10 on BEIR SciFact, 5,183 abstracts and 809 claims, for measuring only: vector, full text and hybrid.

GENAIOPS_DATA=... python -m benchmarks.scifact
"""

from __future__ import annotations

from benchmarks.labelled import Labelled, rows, searched
from benchmarks.places import data
from benchmarks.reporting import Report, alone

ASKED = 0.745  # of the default, with nothing tuned
# nDCG@10 measured beforehand on the same claims, same model, chunks of about 200 tokens.
BEFOREHAND = {
    "vector": 0.682,
    "BM25 on chunks": 0.688,
    "reciprocal rank fusion": 0.726,
    "min–max average of both": 0.742,
    "LangChain EnsembleRetriever": 0.644,
    "LangChain BM25Retriever": 0.518,
}


def labelled() -> Labelled:
    """The corpus is read as it lies, one JSONL file whose lines are documents `corpus.jsonl#<id>`."""
    folder = data("retrieval/scifact")
    source = folder / "corpus.jsonl"
    ids = {row["doc_id"]: f"{source.name}#{row['doc_id']}" for row in rows(source)}
    return Labelled.read("SciFact", source, folder, ids)


def measure() -> Report:
    """Every search and weight, and LangChain beside them."""
    return searched(labelled(), ASKED, BEFOREHAND)


if __name__ == "__main__":
    alone(measure)
