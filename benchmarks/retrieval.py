"""nDCG@10 over documents, vector, full text and hybrid: Well-Architected (95 questions) and SciFact (809).

GENAIOPS_DATA=... python -m benchmarks.retrieval
"""

from __future__ import annotations

from benchmarks.labelled import Labelled, Remembered, built, ndcg, scifact, well_architected
from benchmarks.places import DataAbsent, exit_without_data
from benchmarks.reporting import Figure, Report, Table, alone
from genaiops.retrieval import RetrievalSettings

WEIGHTS = tuple(tenth / 10 for tenth in range(3, 10))
# Measured beforehand on the same questions, with the same model over chunks of about 200 tokens.
BEFOREHAND = {
    "Well-Architected": {"vector": 0.867, "full_text": 0.768, "reciprocal rank fusion": 0.763, "min–max average": 0.815,
                         "LangChain EnsembleRetriever": 0.869, "LangChain BM25Retriever": 0.696},
    "SciFact": {"vector": 0.682, "full_text": 0.688, "reciprocal rank fusion": 0.726, "min–max average": 0.742,
                "LangChain EnsembleRetriever": 0.644, "LangChain BM25Retriever": 0.518},
}  # fmt: skip


def measure() -> Report:
    """Search every question in three ways, with and without headings before the chunks, over seven weights."""
    sets = [well_architected(), scifact()]
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    for labelled in sets:
        for enrichment in ("[heading_path]", "[]"):
            values = _values(labelled, enrichment)
            rows.append((labelled.name, enrichment, *(f"{value:.3f}" for value in values.values())))
            if enrichment != "[]":
                figures.append(_hybrid_against_legs(labelled.name, values))
    head = ("set", "enrichment", "vector", "full text", *(f"hybrid {weight}" for weight in WEIGHTS))
    peers = [(name, way, f"{value:.3f}") for name, ways in BEFOREHAND.items() for way, value in ways.items()]
    return Report(
        "Retrieval: nDCG@10 over documents",
        tuple(figures),
        (
            Table("`hybrid W` gives the vector leg the weight W (`retrieval.vector_weight`).", head, tuple(rows)),
            Table("Measured beforehand on the same questions:", ("set", "search", "nDCG@10"), tuple(peers)),
        ),
        ("A document counts by its best chunk. Scored by ir-measures. SciFact is only measured, never tuned on.",),
    )


def _values(labelled: Labelled, enrichment: str) -> dict[str, float]:
    flow, index = built(labelled, f"enrichment={enrichment}")
    embedder = Remembered(flow.embedder, [query.text for query in labelled.queries])
    searches = {
        "vector": RetrievalSettings(search="vector"),
        "full_text": RetrievalSettings(search="full_text"),
        **{str(weight): RetrievalSettings(vector_weight=weight) for weight in WEIGHTS},
    }
    return {name: ndcg(labelled, index, embedder, settings) for name, settings in searches.items()}


def _hybrid_against_legs(name: str, values: dict[str, float]) -> Figure:
    """At the default weight, a hybrid search must not be worse than its better leg."""
    hybrid = values[str(RetrievalSettings().vector_weight)]
    better = max(values["vector"], values["full_text"])
    return Figure(
        f"{name}: hybrid (default weight)", f"{hybrid:.3f}", f"≥ {better:.3f}, its better leg", hybrid >= better
    )


if __name__ == "__main__":
    try:
        alone(measure)
    except DataAbsent as error:
        exit_without_data(error)
