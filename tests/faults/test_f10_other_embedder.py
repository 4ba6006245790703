"""An index is never queried with another embedder than the one that made its vectors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genaiops.embedding import DEFAULT_MODEL, EmbeddingSettings, embedder_for, load_embedder
from genaiops.embedding.loading import LocalEmbedder
from genaiops.embedding.weights import WEIGHTS, locate
from genaiops.errors import IndexMismatch
from genaiops.indexing.snapshot import load_index
from genaiops.records import Metadata
from tests.builds import build, current, opened
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return write_small_project(tmp_path / "project")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder of the default model with few bytes for weights: what counts here is who it is, not what it says."""
    folder = tmp_path / "model"
    shutil.copytree(locate(DEFAULT_MODEL), folder, ignore=shutil.ignore_patterns(WEIGHTS))
    (folder / WEIGHTS).write_bytes(b"weights")
    return folder


def edited(path: Path, **values: Any) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, **values}), encoding="utf-8")


def unnormalised(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    (folder / "modules.json").write_text(json.dumps(modules[:2]), encoding="utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "weights": lambda folder: (folder / WEIGHTS).write_bytes(b"Weights"),
    "dimension": lambda folder: edited(folder / "1_Pooling" / "config.json", word_embedding_dimension=768),
    "pooling": lambda folder: edited(folder / "1_Pooling" / "config.json", pooling_mode_cls_token=True),
    "normalisation": unnormalised,
    "tokenizer": lambda folder: edited(folder / "tokenizer.json", version="2"),
    "special tokens": lambda folder: edited(folder / "special_tokens_map.json", cls_token="[UNK]"),
    "added tokens": lambda folder: (folder / "added_tokens.json").write_text('{"two words": 30522}'),
    "vocabulary": lambda folder: (folder / "vocab.txt").write_text("other words"),
    "layers": lambda folder: edited(folder / "config.json", num_hidden_layers=3),
    "letter case": lambda folder: edited(folder / "tokenizer_config.json", do_lower_case=False),
    "a module more": lambda folder: (folder / "1_Pooling" / "weights.bin").write_bytes(b"more"),
    "length limit": lambda folder: edited(folder / "sentence_bert_config.json", max_seq_length=128),
    "prompts": lambda folder: edited(folder / "config_sentence_transformers.json", default_prompt_name="query"),
}


def embedder_of(folder: Path) -> LocalEmbedder:
    return load_embedder(EmbeddingSettings(model=str(folder), precision="fp32"))


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_f10_refused_with_both_fingerprints(project: SmallProject, model: Path, change: str) -> None:
    made_by = WordsEmbedder(embedder_of(model).fingerprint)
    build(project, made_by)
    folder = current(project)
    assert load_index(folder, embedder=embedder_of(model).fingerprint).chunks
    CHANGES[change](model)
    other = embedder_of(model).fingerprint
    with pytest.raises(IndexMismatch) as caught:
        load_index(folder, embedder=other)
    message = str(caught.value)
    assert made_by.fingerprint[:12] in message and other[:12] in message
    assert "genaiops build" in message
    assert caught.value.exit_code == 2


ENDPOINT: dict[str, Any] = {"model": "encoder", "base_url": "http://127.0.0.1:1/v1", "dimensions": 32}


@pytest.mark.parametrize(
    "change", [{"model": "encoder-2"}, {"dimensions": 16}, {"dimensions": None}, {"base_url": "http://localhost:1/v1"}]
)
def test_f10_another_endpoint_is_refused_with_both_fingerprints(project: SmallProject, change: dict[str, Any]) -> None:
    first = embedder_for(EmbeddingSettings(**ENDPOINT))
    build(project, WordsEmbedder(first.fingerprint))
    other = embedder_for(EmbeddingSettings(**{**ENDPOINT, **change}))
    with pytest.raises(IndexMismatch) as caught:
        load_index(current(project), embedder=other.fingerprint)
    assert first.fingerprint[:12] in str(caught.value) and other.fingerprint[:12] in str(caught.value)


def test_f10_weights_here_and_an_endpoint_of_the_same_name_are_not_the_same(project: SmallProject) -> None:
    here, there = (
        load_embedder(EmbeddingSettings()),
        embedder_for(EmbeddingSettings(model=DEFAULT_MODEL, base_url="http://127.0.0.1:1/v1")),
    )
    build(project, WordsEmbedder(there.fingerprint))
    with pytest.raises(IndexMismatch, match=here.fingerprint[:12]):
        load_index(current(project), embedder=here.fingerprint)


def test_f10_every_engine_and_precision_of_the_same_weights_is_the_same_embedder() -> None:
    """Their vectors keep a cosine of 0.998 (bf16) and 0.999 (fast session) to each other, which is checked."""
    found = [EmbeddingSettings(), EmbeddingSettings(precision="bf16"), EmbeddingSettings(fast_start=False)]
    assert len({load_embedder(settings).fingerprint for settings in found}) == 1


def test_f10_a_build_with_another_embedder_makes_another_index_and_keeps_the_first(project: SmallProject) -> None:
    first = build(project, WordsEmbedder("words-1"))
    second = build(project, WordsEmbedder("words-2", dimension=48))
    assert first.index != second.index
    assert second.embedded == second.chunks
    assert opened(project, WordsEmbedder("words-2")).id == second.index
    facts: Metadata = load_index(project.home / "indexes" / first.index, embedder="words-1").manifest.counts
    assert facts["dimension"] == 32
    with pytest.raises(IndexMismatch):
        opened(project, WordsEmbedder("words-1"))
