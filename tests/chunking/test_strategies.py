"""Every strategy keeps the contract; each of the newer ones cuts where it says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from genaiops.chunking import CHUNKERS, ChunkingSettings, Tools, chunker_for
from genaiops.chunking.lengths import Tokens
from genaiops.embedding import DEFAULT_MODEL, Vectors
from genaiops.embedding.weights import locate
from genaiops.errors import ConfigurationError, DocumentError
from genaiops.flow.chunkers import token_spans_of
from genaiops.records import Chunk, Document
from genaiops.words import words
from tests.contracts.chunker_contract import ChunkerContract

RECURSIVE: dict[str, Any] = {"splitter": "RecursiveCharacterTextSplitter"}
token_spans = token_spans_of(locate(DEFAULT_MODEL) / "tokenizer.json")


def by_first_word(texts: Sequence[str]) -> Vectors:
    """A unit vector for each text, the same for texts that begin with the same word."""
    vectors = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, sum(map(ord, (words(text) or [""])[0])) % 64] = 1
    return vectors


class TestRecursive(ChunkerContract):
    strategy: ClassVar[str] = "recursive"


class TestMarkdown(ChunkerContract):
    strategy: ClassVar[str] = "markdown"


class TestSentence(ChunkerContract):
    strategy: ClassVar[str] = "sentence"


class TestPage(ChunkerContract):
    strategy: ClassVar[str] = "page"


class TestParentChild(ChunkerContract):
    strategy: ClassVar[str] = "parent_child"


class TestFixed(ChunkerContract):
    strategy: ClassVar[str] = "fixed"
    keeps_sentences: ClassVar[bool] = False


class TestSemantic(ChunkerContract):
    strategy: ClassVar[str] = "semantic"
    tools: ClassVar[Tools] = Tools(embed=by_first_word)


class TestLangChainRecursive(ChunkerContract):
    strategy: ClassVar[str] = "langchain"
    options: ClassVar[dict[str, Any]] = RECURSIVE
    keeps_sentences: ClassVar[bool] = False
    keeps_limits: ClassVar[bool] = False


class InTokens(ChunkerContract):
    """With the tokenizer of the default embedder."""

    options: ClassVar[dict[str, Any]] = {"unit": "tokens"}
    tools: ClassVar[Tools] = Tools(token_spans=token_spans)

    def length(self, text: str, start: int, end: int) -> int:
        return Tokens(text, token_spans).length(start, end)


class TestMarkdownInTokens(InTokens):
    strategy: ClassVar[str] = "markdown"


class TestFixedInTokens(InTokens):
    strategy: ClassVar[str] = "fixed"
    keeps_sentences: ClassVar[bool] = False


def cut(text: str, strategy: str, *, tools: Tools = Tools(), **given: Any) -> list[Chunk]:  # noqa: B008
    settings = ChunkingSettings.model_validate({"strategy": strategy, "size": 100, "overlap": 0, **given})
    return chunker_for(settings, (), tools).chunk(Document("d", text))


def test_every_strategy_is_in_the_dict_and_ids_tell_strategies_apart() -> None:
    tools = Tools(embed=by_first_word)
    options: dict[str, Any] = {"langchain": RECURSIVE}
    ids = {cut("Text.", name, tools=tools, **options.get(name, {}))[0].id for name in CHUNKERS}
    assert len(ids) == len(CHUNKERS) == 8


def test_sentences_fill_a_chunk_across_paragraphs() -> None:
    text = "\n\n".join(f"Sentence {n} has some words." for n in range(6))
    assert [chunk.text.count("Sentence") for chunk in cut(text, "sentence")] == [3, 3]


def test_fixed_windows_have_one_length_and_repeat_the_overlap() -> None:
    chunks = cut("abcdefghij" * 30, "fixed", overlap=20)
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(0, 100), (80, 180), (160, 260), (240, 300)]


def test_no_chunk_crosses_a_page_and_each_tells_its_page() -> None:
    text = f"First page.\f\f{'Third page. ' * 15}\fFourth."
    chunks = cut(text, "page")
    assert [chunk.metadata["page"] for chunk in chunks] == [1, 3, 3, 4]
    assert not any("\f" in chunk.text for chunk in chunks)


def test_children_lie_within_their_parent_and_parents_hold_the_text_once() -> None:
    text = "\n\n".join(f"# Head {n}\n\n" + f"Words of section {n} are here. " * 7 for n in range(6))
    chunks = cut(text, "parent_child", size=100, parent_size=400)
    parents = [tuple(chunk.metadata["parent"]) for chunk in chunks]
    assert all(start <= chunk.start < chunk.end <= end for chunk, (start, end) in zip(chunks, parents, strict=True))
    distinct = sorted(set(parents))
    assert len(distinct) < len(chunks)
    assert all(end - start <= 400 for start, end in distinct)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(distinct))


def test_a_parent_that_begins_within_a_table_does_not_change_how_its_children_are_cut() -> None:
    table = "\n".join(["| a | b |", "|---|---|", *(f"| row {n} | value of it. Yes |" for n in range(60))])
    rows = table.splitlines()
    for chunk in cut(f"# T\n\n{table}", "parent_child", size=100, parent_size=300):
        assert all(line in rows or line in ("# T", "") for line in chunk.text.splitlines())


def test_a_parent_is_three_times_as_large_unless_told() -> None:
    assert ChunkingSettings(strategy="parent_child", size=300).parent == 900


def test_semantic_cuts_fall_where_the_subject_changes() -> None:
    text = " ".join([*["Cats sleep nearly all day."] * 3, *["Bonds yield a little more."] * 3])
    chunks = cut(text, "semantic", size=200, tools=Tools(embed=by_first_word))
    assert [set(words(chunk.text)) & {"cats", "bonds"} for chunk in chunks] == [{"cats"}, {"bonds"}]


def test_without_what_it_needs_a_strategy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs an embedder"):
        cut("Text.", "semantic")
    with pytest.raises(ConfigurationError, match="needs a tokenizer"):
        cut("Text.", "markdown", unit="tokens")


def test_tokens_are_those_of_the_embedder() -> None:
    text = "Tokenizers split uncommon words, commonplace ones less. " * 20
    chunks = cut(text, "recursive", unit="tokens", size=40, tools=Tools(token_spans=token_spans))
    assert all(25 <= len(token_spans(chunk.text)) <= 40 for chunk in chunks[:-1])


def test_a_word_that_the_tokenizer_does_not_know_still_has_a_length() -> None:
    assert len(token_spans("x" * 1000)) == 1
    chunks = cut("x" * 1000, "recursive", unit="tokens", size=50, tools=Tools(token_spans=token_spans))
    assert [len(chunk.text) for chunk in chunks] == [200] * 5


# --- langchain-text-splitters ---------------------------------------------------


def test_another_version_of_the_library_is_another_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    of_library, of_ours = ChunkingSettings(strategy="langchain", **RECURSIVE), ChunkingSettings()
    before = of_library.digest, of_ours.digest
    monkeypatch.setattr("genaiops.chunking.settings.version", lambda package: "99.0")
    assert of_library.digest != before[0]
    assert of_ours.digest == before[1]


def test_size_overlap_and_arguments_reach_the_splitter() -> None:
    text = "One two three four five six. " * 10
    chunks = cut(text, "langchain", overlap=30, **RECURSIVE)
    assert max(len(chunk.text) for chunk in chunks) <= 100
    assert any(after.start < before.end for before, after in itertools.pairwise(chunks))
    by_mark = cut(text, "langchain", **RECURSIVE, arguments={"separators": ["."], "keep_separator": "end"})
    assert all(chunk.text.endswith(".") for chunk in by_mark)


def test_a_language_asks_for_its_separators() -> None:
    code = "".join(f"def function_{n}(a):\n    return a\n\n\n" for n in range(8))
    chunks = cut(code, "langchain", **RECURSIVE, arguments={"language": "python"})
    assert all(chunk.text.startswith("def") for chunk in chunks)


def test_repeated_pieces_are_found_in_their_order() -> None:
    text = "same words here\n\n" * 12
    starts = [chunk.start for chunk in cut(text, "langchain", size=50, splitter="CharacterTextSplitter")]
    assert starts == [0, 51, 102, 153]


def test_a_piece_that_begins_where_the_one_before_did_and_ends_behind_it_is_found() -> None:
    splitter = "RecursiveCharacterTextSplitter"  # puts the line break into its first piece, of 70 characters
    chunks = cut("\n" + "x" * 70, "langchain", size=70, overlap=69, splitter=splitter)
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(1, 71)]


def test_a_splitter_that_changes_or_drops_text_is_refused() -> None:
    with pytest.raises(DocumentError, match="MarkdownHeaderTextSplitter changes the text"):
        headers = {"headers_to_split_on": [["#", "h1"]]}
        cut("# A\n\nOne.\n\n# B\n\nTwo.", "langchain", splitter="MarkdownHeaderTextSplitter", arguments=headers)
    with pytest.raises(DocumentError, match="is in no piece"):
        dropping = {"separator": "X", "keep_separator": False}
        cut("a" * 60 + "X" + "b" * 60, "langchain", splitter="CharacterTextSplitter", arguments=dropping)


def test_an_unknown_splitter_and_wrong_arguments_are_refused_when_the_chunker_is_made() -> None:
    with pytest.raises(ConfigurationError, match="no splitter 'SpacyTextSplitter' is run here"):
        cut("Text.", "langchain", splitter="SpacyTextSplitter")
    with pytest.raises(ConfigurationError, match="refuses its arguments"):
        cut("Text.", "langchain", **RECURSIVE, arguments={"colour": "red"})
