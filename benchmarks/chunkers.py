"""Every chunking strategy against LangChain's recursive splitter at the same mean length, on 276 marked questions.

GENAIOPS_DATA=... python -m benchmarks.chunkers
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.places import data, project
from benchmarks.reporting import Figure, Report, Table, alone
from benchmarks.spans import TOP, Overlap, mean_of, overlap_of, percent, write_golden_set
from genaiops.chunking import ChunkingSettings, Entry, Tools, chunker_for
from genaiops.embedding import EmbeddingSettings, load_embedder
from genaiops.records import Chunk, Document, Query, as_json
from genaiops.retrieval import RetrievalSettings

if TYPE_CHECKING:
    from genaiops.embedding.loading import CachedEmbedder
    from genaiops.indexing.snapshot import Index

DEFAULT = "markdown (the default)"
_RECIPROCAL = 60  # of reciprocal rank fusion, as Cormack, Clarke and Büttcher (2009) chose it
_DEPTH = 100
_STEP = 10  # characters, between the sizes of LangChain's that are tried
LEGS = ("vector", "hybrid", "reciprocal rank")
_WITHOUT_PATH = f"{DEFAULT}, enrichment: []"
_TOKENS = {"unit": "tokens", "size": 200, "overlap": 20}
_RECURSIVE = {"splitter": "RecursiveCharacterTextSplitter"}
PATH: tuple[Entry, ...] = ("heading_path",)
# Name → settings and enrichment.
STRATEGIES: Mapping[str, tuple[dict[str, Any], tuple[Entry, ...]]] = {
    DEFAULT: ({}, PATH),
    _WITHOUT_PATH: ({}, ()),
    "markdown, size: 500, overlap: 50": ({"size": 500, "overlap": 50}, PATH),
    "markdown, size: 1200, overlap: 120": ({"size": 1200, "overlap": 120}, PATH),
    "markdown, 200 tokens, overlap 20": (_TOKENS, PATH),
    "parent_child (the chunks searched)": ({"strategy": "parent_child"}, PATH),
    "recursive": ({"strategy": "recursive"}, ()),
    "sentence": ({"strategy": "sentence"}, ()),
    "page": ({"strategy": "page"}, ()),
    "semantic": ({"strategy": "semantic", "overlap": 0}, ()),
    "fixed": ({"strategy": "fixed"}, ()),
}
ENRICHMENTS: Mapping[str, tuple[Entry, ...]] = {
    "[]": (),
    "[title]": ("title",),
    "[heading_path]": PATH,
    "[heading_path, keywords: {search: true}]": (*PATH, {"keywords": {"search": True}}),
    "[keywords: {search: true}]": ({"keywords": {"search": True}},),
    "[heading_path, neighbours: {before: 150}]": (*PATH, {"neighbours": {"before": 150}}),
    "[neighbours: {before: 150}]": ({"neighbours": {"before": 150}},),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """The chunks of one way to cut, and how long cutting took."""

    chunks: tuple[Chunk, ...]
    seconds: float

    @property
    def mean(self) -> float:
        return statistics.mean(chunk.end - chunk.start for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Bench:
    """The three texts, the questions with their evidence, and one embedder for all."""

    documents: tuple[Document, ...]
    questions: Mapping[str, str]  # by case
    evidence: Mapping[str, Mapping[str, list[tuple[int, int]]]]
    embedder: CachedEmbedder
    found: dict[str, dict[str, dict[str, Overlap]]] = field(default_factory=dict)

    @classmethod
    def ready(cls, folder: Path) -> Bench:
        import json

        from genaiops.embedding.cache import VectorCache
        from genaiops.embedding.loading import CachedEmbedder

        evidence = write_golden_set(folder)
        rows = (json.loads(line) for line in data("chunking/questions.jsonl").read_text(encoding="utf-8").splitlines())
        paths = sorted((folder / "documents").glob("*.md"))
        cache = project().cache
        embedder = CachedEmbedder(load_embedder(EmbeddingSettings(), cache_file=cache), VectorCache(cache))
        documents = tuple(Document(path.name, path.read_text(encoding="utf-8")) for path in paths)
        return cls(documents, {row["id"]: row["question"] for row in rows}, evidence, embedder)

    def ours(self, given: Mapping[str, Any], enrichment: Sequence[Entry]) -> Cut:
        from genaiops.embedding.weights import locate
        from genaiops.flow.chunkers import token_spans_of

        settings = ChunkingSettings.model_validate(given)
        spans = token_spans_of(locate(EmbeddingSettings().model) / "tokenizer.json")
        # Timed without the cache: what semantic chunking embeds is part of its price.
        tools = Tools(embed=self.embedder.behind.embed, token_spans=spans)
        began = time.perf_counter()
        chunker = chunker_for(settings, enrichment, tools)
        chunks = tuple(chunk for document in self.documents for chunk in chunker.chunk(document))
        return Cut(chunks, time.perf_counter() - began)

    def langchain(self, size: int, overlap: int) -> Cut:
        given = {"strategy": "langchain", **_RECURSIVE, "size": size, "overlap": overlap}
        return self.ours(given, ())

    def langchain_of_mean(self, mean: float, share: float) -> tuple[int, Cut]:
        """The size, and the chunks, with the mean nearest to `mean` when `share` of the size may overlap."""
        sizes = range(int(mean), int(mean * 1.6), _STEP)
        cuts = {size: self.langchain(size, int(size * share)) for size in sizes}
        best = min(cuts, key=lambda size: abs(cuts[size].mean - mean))
        return best, cuts[best]

    def measured(self, cut: Cut) -> dict[str, dict[str, Overlap]]:
        """Leg → case → how well the first five chunks cover the evidence."""
        from genaiops.indexing import IndexSettings, index_inputs
        from genaiops.indexing.snapshot import load_index, write_index

        vectors = self.embedder.embed([chunk.indexed_text for chunk in cut.chunks])
        with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
            inputs = index_inputs(self.documents, {"index": as_json(IndexSettings())}, self.embedder.fingerprint)
            manifest = write_index(Path(name), inputs, self.documents, cut.chunks, vectors, {})
            index = load_index(Path(name) / manifest.id, embedder=self.embedder.fingerprint)
            searches = self._searches(index)
            return {
                leg: {
                    case: overlap_of(search(Query(question)), self.evidence[case])
                    for case, question in self.questions.items()
                }
                for leg, search in searches.items()
            }

    def _searches(self, index: Index) -> Mapping[str, Callable[[Query], list[Chunk]]]:
        from genaiops.retrieval.retrievers import retriever_for

        embedder = self.embedder  # looked up: the same questions are asked of every index
        legs = [
            retriever_for(RetrievalSettings(search=search), index, embedder)
            for search in ("vector", "full_text", "hybrid")
        ]

        def fused(query: Query) -> list[Chunk]:
            scores: dict[str, float] = {}
            chunks: dict[str, Chunk] = {}
            for leg in legs[:2]:
                for hit in leg.retrieve(query, _DEPTH):
                    chunks[hit.chunk.id] = hit.chunk
                    scores[hit.chunk.id] = scores.get(hit.chunk.id, 0) + 1 / (_RECIPROCAL + hit.rank)
            place = {name: (chunk.document_id, chunk.start) for name, chunk in chunks.items()}
            return [chunks[best] for best in sorted(scores, key=lambda name: (-scores[name], place[name]))[:TOP]]

        return {
            "vector": lambda query: [hit.chunk for hit in legs[0].retrieve(query, TOP)],
            "hybrid": lambda query: [hit.chunk for hit in legs[2].retrieve(query, TOP)],
            "reciprocal rank": fused,
        }


def measure() -> Report:
    """All strategies, each beside LangChain's recursive splitter at its own mean length."""
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        bench = Bench.ready(Path(name))
        head = ("chunker", *(f"{leg}: recall / precision / IoU, %" for leg in LEGS), "mean, characters", "seconds")
        rows: list[tuple[str, ...]] = []
        corpora: list[tuple[str, ...]] = []
        figures: list[Figure] = []
        added = []
        for title, enrichment in ENRICHMENTS.items():
            cut = bench.ours({}, enrichment)
            added.append(_told(_row(title, bench.measured(cut), cut)))
        for title, (given, enrichment) in STRATEGIES.items():
            cut = bench.ours(given, enrichment)
            found = bench.measured(cut)
            rows.append(_told(_row(title, found, cut)))
            for share in (0.0, 0.1) if title == DEFAULT else (0.0,):
                size, theirs = bench.langchain_of_mean(cut.mean, share)
                peer = f"LangChain recursive, {size}, overlap {int(size * share)}"
                beside = bench.measured(theirs)
                rows.append(_told(_row(f"– {peer}", beside, theirs)))
                if title == DEFAULT:
                    figures += _figures(found, beside, peer)
                    corpora += _by_corpus(bench, peer, beside)
            if title in (DEFAULT, _WITHOUT_PATH):
                corpora += _by_corpus(bench, title, found)
        corpus_head = ("chunker", "text", *(f"{leg}: recall / IoU, %" for leg in LEGS))
        return Report(
            f"Chunkers: {len(bench.questions)} questions over three texts, five chunks",
            tuple(figures),
            (
                Table(
                    "Under each strategy LangChain's splitter at the size that gives the nearest mean:",
                    head,
                    tuple(rows),
                ),
                Table("What enrichment adds to the default strategy:", ("enrichment", *head[1:]), tuple(added)),
                Table("The default, text by text:", corpus_head, tuple(corpora)),
            ),
            (
                "Same embedder, same index, same searches for all. `hybrid` is our default retrieval, `reciprocal "
                "rank` fuses both legs by rank with k = 60. Precision counts a character as often as it is retrieved. "
                "Seconds are those of cutting all three texts and adding the enrichment; `semantic` embeds every "
                "sentence for it.",
            ),
        )


def _row(title: str, found: Mapping[str, Mapping[str, Overlap]], cut: Cut) -> tuple[str, ...]:
    values = (percent(mean_of(list(found[leg].values()))) for leg in LEGS)
    return (title, *values, f"{cut.mean:.0f}", f"{cut.seconds:.2f}")


def _told(row: tuple[str, ...]) -> tuple[str, ...]:
    """The row, shown as soon as it is measured."""
    print(*row, sep=" | ", file=sys.stderr, flush=True)
    return row


def _figures(
    found: Mapping[str, Mapping[str, Overlap]], beside: Mapping[str, Mapping[str, Overlap]], peer: str
) -> list[Figure]:
    figures = []
    for leg in LEGS:
        ours, theirs = mean_of(list(found[leg].values())), mean_of(list(beside[leg].values()))
        for what, mine, limit in (("recall", ours.recall, theirs.recall), ("IoU", ours.iou, theirs.iou)):
            asked = f"> {100 * limit:.2f} % ({peer})"
            figures.append(Figure(f"{leg}: {what}", f"{100 * mine:.2f} %", asked, mine > limit))
    return figures


def _by_corpus(bench: Bench, title: str, found: Mapping[str, Mapping[str, Overlap]]) -> list[tuple[str, ...]]:
    rows = []
    for document in bench.documents:
        cases = [case for case in bench.questions if document.id in bench.evidence[case]]
        means = [mean_of([found[leg][case] for case in cases]) for leg in LEGS]
        values = (f"{100 * mean.recall:.1f} / {100 * mean.iou:.2f}" for mean in means)
        rows.append((title, document.id.removesuffix(".md"), *values))
    return rows


if __name__ == "__main__":
    alone(measure)
