"""Row 48: text made to keep a splitter busy. Every strategy and the outline, in time that grows with the length."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from genaiops.chunking import CHUNKERS, Chunker, ChunkingSettings, Tools, chunker_for
from genaiops.records import Document
from tests.chunking.test_strategies import RECURSIVE, by_first_word, token_spans
from tests.contracts.chunker_contract import HOSTILE
from tests.faults.build_children import LONG

LENGTHS = (64_000, 256_000, 1_024_000)
TEXTS = sorted(HOSTILE) if LONG else ["one line without spaces"]
MOST_SECONDS = 10  # for a million characters, on a processor that others use too
# Most of LangChain's time is its own.
STRATEGIES = tuple(CHUNKERS) if LONG else tuple(name for name in CHUNKERS if name != "langchain")
UNITS = ("characters", "tokens") if LONG else ("characters",)


def chunker(strategy: str, unit: str) -> Chunker:
    given: dict[str, Any] = {"strategy": strategy, "size": 800, "overlap": 80, "unit": unit}
    settings = ChunkingSettings.model_validate({**given, **(RECURSIVE if strategy == "langchain" else {})})
    return chunker_for(settings, ("heading_path", "keywords"), Tools(embed=by_first_word, token_spans=token_spans))


def seconds(cutter: Chunker, text: str) -> float:
    began = time.process_time()
    chunks = cutter.chunk(Document("d.md", text))
    spent = time.process_time() - began
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    return spent


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_f48_a_million_characters_take_seconds_and_no_more(strategy: str, name: str, unit: str) -> None:
    cutter = chunker(strategy, unit)
    spent = [seconds(cutter, HOSTILE[name](length)) for length in (LENGTHS if LONG else LENGTHS[-1:])]
    assert spent[-1] < MOST_SECONDS * (3 if strategy == "langchain" else 1), spent
    if LONG:
        # Below 50 ms other work on the processor decides.
        exponent = math.log(spent[-1] / max(spent[0], 0.05)) / math.log(LENGTHS[-1] / LENGTHS[0])
        assert exponent <= 1.3, spent
