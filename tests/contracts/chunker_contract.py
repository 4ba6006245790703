"""What every chunking strategy must do, whatever the text."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genaiops.chunking import Chunker, ChunkingSettings, Tools, chunker_for
from genaiops.records import Chunk, Document
from tests.faults.build_children import LONG

PIECES = [
    "\n", "\n\n", "\r", "# Head\n", "## Sub\n", "### \n", "> ", "- item ", "1. ", "```\n", "~~~py\n", "| a | b |\n",
    "|---|---|\n", "a | b\n", "Some words here. ", "And more, e.g. this one! ", "Intro:\n", "=====\n", "-----\n", "\t",
    "    ", "x" * 70, "日本。", "\f", "\x1c", "\u2028", "[!NOTE]\n", "👩‍👩‍👧‍👦", "🇫🇷🇩🇪", "e\u0301", "== Wiki ==\n",
    "= = A = =\n", "\ufeff", "\u200b", "\0",
]  # fmt: skip
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)

# A contract's tests run once for each class that keeps it, on purpose.
SHARED = [HealthCheck.differing_executors]
EXAMPLES = 500 if LONG else 60
LENGTHS = (64_000, 256_000, 1_024_000) if LONG else (16_000, 128_000)
MOST_SECONDS_PER_MB = 10 if LONG else 40  # the short lane runs on machines that are slow or busy
EXPONENT = 1.3 if LONG else 1.6  # in the short lane too, twice the text may not cost four times as much
HOSTILE: dict[str, Callable[[int], str]] = {
    "one line without spaces": lambda n: "a" * n,
    "nested quotes": lambda n: ">" * n,
    "hashes": lambda n: "#" * n,
    "an unclosed fence": lambda n: "```\n" + "a = b. c\n" * (n // 9),
    "table rows": lambda n: "| a | b |\n" * (n // 10),
    "one sentence": lambda n: "word " * (n // 5),
    "equals signs": lambda n: "= " * (n // 2),
    "emoji": lambda n: "👩‍👩‍👧‍👦" * (n // 7),
    "short sentences": lambda n: "A. " * (n // 3),
    "headings": lambda n: "".join(f"{'#' * (i % 6 + 1)} heading {i}\n" for i in range(n // 15)),
}


class ChunkerContract:
    """Subclass, and set a strategy of `CHUNKERS`."""

    strategy: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    tools: ClassVar[Tools] = Tools()
    keeps_sentences: ClassVar[bool] = True
    keeps_limits: ClassVar[bool] = True

    def chunker(self, *, size: int = 120, overlap: int = 0) -> Chunker:
        given_settings = {"strategy": self.strategy, "size": size, "overlap": overlap, **self.options}
        return chunker_for(ChunkingSettings.model_validate(given_settings), (), self.tools)

    def length(self, text: str, start: int, end: int) -> int:
        """How long a chunk is in the unit of the settings."""
        return end - start

    def chunks(self, text: str, *, size: int = 120, overlap: int = 0) -> list[Chunk]:
        return self.chunker(size=size, overlap=overlap).chunk(Document("d.md", text))

    @settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=SHARED)
    @given(text=MARKDOWN | st.text(max_size=300), size=st.integers(50, 200), share=st.floats(0, 0.99))
    def test_chunks_are_exact_spans_that_hold_all_of_the_text(self, text: str, size: int, share: float) -> None:
        chunks = self.chunks(text, size=size, overlap=int(size * share))
        covered = bytearray(len(text))
        for chunk in chunks:
            assert text[chunk.start : chunk.end] == chunk.text
            assert chunk.text and chunk.text == chunk.text.strip()
            assert not self.keeps_limits or self.length(text, chunk.start, chunk.end) <= size
            covered[chunk.start : chunk.end] = b"\1" * len(chunk.text)
        assert not [text[i] for i in range(len(text)) if not covered[i] and not text[i].isspace()]

    @settings(deadline=None, max_examples=EXAMPLES // 2, suppress_health_check=SHARED)
    @given(text=MARKDOWN, overlap=st.integers(0, 119))
    def test_chunks_are_in_order_and_repeat_no_more_than_the_overlap(self, text: str, overlap: int) -> None:
        chunks = self.chunks(text, overlap=overlap)
        for before, after in pairwise(chunks):
            assert before.start < after.start
            assert before.end < after.end
            assert not self.keeps_limits or self.length(text, after.start, before.end) <= overlap

    def test_sentences_that_fit_are_never_cut(self) -> None:
        if not self.keeps_sentences:
            pytest.skip("this strategy does not look at sentences")
        sentences = [f"Sentence number {n} says e.g. {'word ' * (n % 9)}and ends." for n in range(60)]
        text = " ".join(sentences)
        for chunk in self.chunks(text, size=200, overlap=90):
            assert chunk.text.startswith("Sentence")
            assert chunk.text.endswith("ends.")

    def test_overlap_repeats_whole_sentences(self) -> None:
        if not self.keeps_sentences:
            pytest.skip("this strategy does not look at sentences")
        chunks = self.chunks("A first one is here. A second one. A third one is here. " * 5, size=60, overlap=25)
        repeated = [b.end - a.start for b, a in pairwise(chunks) if a.start < b.end]
        assert repeated
        assert all(chunk.text.startswith("A ") for chunk in chunks)

    def test_no_text_no_chunks(self) -> None:
        assert self.chunks("") == self.chunks(" \n\t\n\f ") == []

    def test_a_short_text_is_one_chunk_without_its_outer_white_space(self) -> None:
        [chunk] = self.chunks("\n  Short.\n\n")
        assert (chunk.start, chunk.end, chunk.text, chunk.indexed_text) == (3, 9, "Short.", "Short.")

    def test_the_same_text_gives_the_same_ids_and_other_settings_give_others(self) -> None:
        text = "One sentence. " * 4
        assert [c.id for c in self.chunks(text)] == [c.id for c in self.chunks(text)]
        assert {c.id for c in self.chunks(text)}.isdisjoint(c.id for c in self.chunks(text, overlap=1))

    def test_labels_of_a_document_are_on_every_chunk(self) -> None:
        labels = {"sensitivity": "internal", "access": ["staff"], "language": "en", "flags": ["instructions"]}
        document = Document("d.md", "One sentence here. " * 60, {**labels, "product": "kettle"})
        chunks = self.chunker().chunk(document)
        assert len(chunks) > 1
        assert all({name: chunk.metadata[name] for name in labels} == labels for chunk in chunks)
        assert not any("product" in chunk.metadata for chunk in chunks)

    @pytest.mark.parametrize("name", HOSTILE if LONG else ("one line without spaces", "short sentences", "headings"))
    def test_f48_time_grows_with_the_length_of_hostile_text(self, name: str) -> None:
        """The exponent over a growth of sixteen (eight), the best of two: other work shares the processor."""
        chunker = self.chunker(size=800, overlap=80)
        seconds = []
        for length in LENGTHS:
            document = Document("d.md", HOSTILE[name](length))
            seconds.append(min(_seconds(chunker, document) for _ in range(2)))
        # The shortest takes a few milliseconds, so another process's cache misses count: it is taken as 10 ms at least.
        assert seconds[-1] / max(seconds[0], 0.01) < (LENGTHS[-1] / LENGTHS[0]) ** EXPONENT, seconds
        assert seconds[-1] < MOST_SECONDS_PER_MB * LENGTHS[-1] / 1e6, seconds


def _seconds(chunker: Chunker, document: Document) -> float:
    began = time.process_time()
    chunker.chunk(document)
    return time.process_time() - began
