"""nDCG@10 on the 199 pages of the Azure Well-Architected Framework: vector, full text and hybrid.

GENAIOPS_DATA=... python -m benchmarks.well_architected
"""

from __future__ import annotations

from benchmarks.labelled import Labelled, searched
from benchmarks.places import data
from benchmarks.reporting import Report, alone

ASKED = 0.895  # of the default, with nothing tuned
# nDCG@10 measured beforehand on the same questions, same model, chunks of about 200 tokens.
BEFOREHAND = {
    "vector": 0.867,
    "BM25 on chunks": 0.768,
    "reciprocal rank fusion": 0.763,
    "min–max average of both": 0.815,
    "LangChain EnsembleRetriever": 0.869,
    "LangChain BM25Retriever": 0.696,
}


def labelled() -> Labelled:
    """95 questions, which are pages' own descriptions; the loader keeps those out of the text that is searched."""
    source = data("corpora/azure_well_architected")
    paths = [path.relative_to(source).as_posix() for path in source.rglob("*.md")]
    ids = {path: path for path in paths}  # the labels name pages by the same paths
    return Labelled.read("Well-Architected", source, data("retrieval/azure_well_architected"), ids)


def measure() -> Report:
    """Every search and weight, and LangChain beside them."""
    return searched(labelled(), ASKED, BEFOREHAND)


if __name__ == "__main__":
    alone(measure)
