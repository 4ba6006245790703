"""What every chunking strategy must do, whatever the text."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genaiops.chunking import Chunker, ChunkingSettings, chunker_for
from genaiops.records import Chunk, Document

PIECES = [
    "\n", "\n\n", "\r", "# Head\n", "## Sub\n", "### \n", "> ", "- item ", "1. ", "```\n", "~~~py\n", "| a | b |\n",
    "|---|---|\n", "a | b\n", "Some words here. ", "And more, e.g. this one! ", "Intro:\n", "=====\n", "-----\n", "\t",
    "    ", "x" * 70, "日本。", "\f", "\x1c", "\u2028", "[!NOTE]\n",
]  # fmt: skip
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)

# A contract's tests run once for each class that keeps it, on purpose.
SHARED = [HealthCheck.differing_executors]
HOSTILE: dict[str, Callable[[int], str]] = {
    "one line without spaces": lambda n: "a" * n,
    "nested quotes": lambda n: ">" * n,
    "hashes": lambda n: "#" * n,
    "an unclosed fence": lambda n: "```\n" + "a = b. c\n" * (n // 9),
    "table rows": lambda n: "| a | b |\n" * (n // 10),
    "one sentence": lambda n: "word " * (n // 5),
    "headings": lambda n: "".join(f"{'#' * (i % 6 + 1)} heading {i}\n" for i in range(n // 15)),
}


class ChunkerContract:
    """Subclass, and set a strategy of `CHUNKERS`."""

    strategy: ClassVar[str]

    def chunker(self, *, size: int = 120, overlap: int = 0) -> Chunker:
        given_settings = {"strategy": self.strategy, "size": size, "overlap": overlap}
        return chunker_for(ChunkingSettings.model_validate(given_settings))

    def chunks(self, text: str, *, size: int = 120, overlap: int = 0) -> list[Chunk]:
        return self.chunker(size=size, overlap=overlap).chunk(Document("d.md", text))

    @settings(deadline=None, max_examples=150, suppress_health_check=SHARED)
    @given(text=MARKDOWN | st.text(max_size=300), size=st.integers(50, 200), share=st.floats(0, 0.99))
    def test_chunks_are_exact_spans_that_hold_all_of_the_text(self, text: str, size: int, share: float) -> None:
        chunks = self.chunks(text, size=size, overlap=int(size * share))
        covered = bytearray(len(text))
        for chunk in chunks:
            assert text[chunk.start : chunk.end] == chunk.text
            assert chunk.text and chunk.text == chunk.text.strip()
            assert len(chunk.text) <= size
            covered[chunk.start : chunk.end] = b"\1" * len(chunk.text)
        assert not [text[i] for i in range(len(text)) if not covered[i] and not text[i].isspace()]

    @settings(deadline=None, max_examples=50, suppress_health_check=SHARED)
    @given(text=MARKDOWN, overlap=st.integers(0, 119))
    def test_chunks_are_in_order_and_repeat_no_more_than_the_overlap(self, text: str, overlap: int) -> None:
        chunks = self.chunks(text, overlap=overlap)
        for before, after in pairwise(chunks):
            assert before.start < after.start
            assert before.end < after.end
            assert before.end - after.start <= overlap

    def test_sentences_that_fit_are_never_cut(self) -> None:
        sentences = [f"Sentence number {n} says e.g. {'word ' * (n % 9)}and ends." for n in range(60)]
        text = " ".join(sentences)
        for chunk in self.chunks(text, size=200, overlap=90):
            assert chunk.text.startswith("Sentence")
            assert chunk.text.endswith("ends.")

    def test_overlap_repeats_whole_sentences(self) -> None:
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

    @pytest.mark.parametrize("name", HOSTILE)
    def test_time_grows_with_the_length_of_hostile_text(self, name: str) -> None:
        """The exponent over a sixteenfold growth; the best of three, since other work shares the processor."""
        chunker = self.chunker(size=800, overlap=80)
        seconds = []
        for length in (20_000, 80_000, 320_000):
            document = Document("d.md", HOSTILE[name](length))
            seconds.append(min(_seconds(chunker, document) for _ in range(3)))
        # The shortest takes a few milliseconds, so another process's cache misses count: it is taken as 10 ms at least.
        assert seconds[2] / max(seconds[0], 0.01) < 16**1.3, seconds
        assert seconds[2] < 2, seconds


def _seconds(chunker: Chunker, document: Document) -> float:
    began = time.process_time()
    chunker.chunk(document)
    return time.process_time() - began
