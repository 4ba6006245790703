"""The session that embeds questions without torch: the same vectors, made once, never loaded damaged."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Embedder, EmbeddingSettings, fast_making, load_embedder, loading
from genaiops.embedding.cache import VectorCache
from genaiops.embedding.fast_making import Refused, make_session
from genaiops.embedding.fast_session import (
    ABOUT,
    GRAPH,
    MAX_TEXTS,
    FastSession,
    engine,
    open_session,
    session_folder,
    write_about,
)
from genaiops.embedding.loading import CachedEmbedder, LocalEmbedder
from genaiops.embedding.weights import locate
from genaiops.errors import IntegrityError
from tests.contracts.embedder_contract import TEXTS, EmbedderContract

MODEL = locate(EmbeddingSettings().model)
FP32 = EmbeddingSettings(precision="fp32")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a session in it, made once; tests that harm it take a copy."""
    home = tmp_path_factory.mktemp("home")
    load_embedder(FP32).embed(["loads torch, and its model once for all tests"])
    found = load_embedder(FP32, cache_file=home / "cache.db").make_fast_session()
    assert found is not None
    assert found.cosine >= 0.999
    assert found.engine == engine()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(made, tmp_path / "home")
    yield tmp_path / "home"
    loading._SESSIONS.clear()


def embedder_in(home: Path) -> LocalEmbedder:
    loading._SESSIONS.clear()
    return load_embedder(FP32, cache_file=home / "cache.db")


def session_in(home: Path, fingerprint: str) -> Path:
    return session_folder(home / "sessions", fingerprint)


class TestThroughTheSession(EmbedderContract):
    @pytest.fixture
    def embedder(self, made: Path) -> Embedder:
        return load_embedder(FP32, cache_file=made / "cache.db")


def test_vectors_and_tokens_are_those_of_torch(made: Path, embedder: LocalEmbedder) -> None:
    session = open_session(made / "sessions", MODEL, embedder.fingerprint)
    assert session is not None
    texts = [*TEXTS, "word " * 5000, "ﬁne ½ Straße İstanbul", "\x00\x01 control", "a\u0301" * 400]
    assert (session.embed(texts) * embedder.embed(texts)).sum(axis=1).min() >= 0.999
    torch_model = embedder._loaded("fp32").model
    for text in texts:
        assert session.token_ids(text) == torch_model.preprocess([text])["input_ids"][0].tolist()
    assert len(session.token_ids("word " * 5000)) == torch_model.max_seq_length


def test_a_question_has_one_vector_before_and_after_there_is_a_session(made: Path, tmp_path: Path) -> None:
    """Also where a corpus is embedded in bf16: a run measured before the first `ask` is the run measured after it."""
    settings = EmbeddingSettings(precision="bf16")
    before = load_embedder(settings, cache_file=tmp_path / "cache.db")
    after = load_embedder(settings, cache_file=made / "cache.db")
    assert isinstance(before, LocalEmbedder) and isinstance(after, LocalEmbedder)
    assert before.fast_session is None and after.fast_session is not None
    for text in TEXTS:
        assert np.abs(before.embed([text]) - after.embed([text])).max() < 2e-6


def test_a_question_is_the_same_alone_and_in_company(made: Path, embedder: LocalEmbedder) -> None:
    session = open_session(made / "sessions", MODEL, embedder.fingerprint)
    assert session is not None
    assert np.array_equal(session.embed(TEXTS), np.concatenate([session.embed([text]) for text in TEXTS]))


def test_a_question_in_a_fresh_process_imports_no_torch(made: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from genaiops.embedding import EmbeddingSettings, load_embedder\n"
        "embedder = load_embedder(EmbeddingSettings(), cache_file=Path(sys.argv[1]) / 'cache.db')\n"
        "print(embedder.embed(['How long is the warranty?']).shape, embedder.lacks_fast_session)\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(made)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(1, 384) False", "[]"]


def test_questions_go_to_the_session_and_corpora_to_torch(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embedder_in(home)
    asked: list[int] = []
    session = embedder.fast_session
    assert session is not None
    whole = FastSession.embed

    def counted(self: FastSession, texts: list[str]) -> object:
        asked.append(len(texts))
        return whole(self, texts)

    monkeypatch.setattr(FastSession, "embed", counted)
    for count in (1, MAX_TEXTS, MAX_TEXTS + 1):
        assert embedder.embed(["a kettle"] * count).shape == (count, 384)
    assert asked == [1, MAX_TEXTS]
    # What is stored comes from torch, also when a build has a single new text.
    CachedEmbedder(embedder, VectorCache(home / "cache.db")).embed(["a lid"])
    assert asked == [1, MAX_TEXTS]


def test_a_session_is_wanted_only_where_the_settings_and_a_state_folder_allow(home: Path) -> None:
    off = EmbeddingSettings(precision="fp32", fast_start=False)
    assert load_embedder(off, cache_file=home / "cache.db").fast_session is None
    assert not load_embedder(off, cache_file=home / "cache.db").lacks_fast_session
    assert load_embedder(FP32).make_fast_session() is None
    assert embedder_in(home).make_fast_session() is None  # there is one


def without_export(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The graph in `folder` in place of another export, which takes ten seconds, and no waiting for the disk."""

    def copied(_model: object, graph: Path, _tokens: int) -> None:
        for name in (GRAPH, f"{GRAPH}.data"):
            shutil.copy(folder / name, graph.parent / name)

    monkeypatch.setattr(fast_making, "_export", copied)
    monkeypatch.setattr(os, "fsync", lambda _: None)


# --- damage -------------------------------------------------------------------------


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[random.Random(path.name).randrange(len(data))] ^= 0x10
    path.write_bytes(data)


def swapped(folder: Path) -> None:
    (folder / GRAPH).rename(folder / "aside")
    (folder / f"{GRAPH}.data").rename(folder / GRAPH)
    (folder / "aside").rename(folder / f"{GRAPH}.data")


DAMAGE = {
    "a bit of the graph": lambda folder: flipped(folder / GRAPH),
    "a bit of the weights": lambda folder: flipped(folder / f"{GRAPH}.data"),
    "a bit of what is told": lambda folder: flipped(folder / ABOUT),
    "an empty graph": lambda folder: (folder / GRAPH).write_bytes(b""),
    "half of the weights": lambda folder: (folder / f"{GRAPH}.data").write_bytes(b"\0" * 1000),
    "no graph": lambda folder: (folder / GRAPH).unlink(),
    "nothing told": lambda folder: (folder / ABOUT).unlink(),
    "no JSON": lambda folder: (folder / ABOUT).write_text("[" * 50_000),
    "another kind of JSON": lambda folder: (folder / ABOUT).write_text("[]"),
    "one file more": lambda folder: (folder / "more.so").write_bytes(b"\x7fELF"),
    "files swapped": swapped,
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_f05_a_damaged_session_is_noticed_before_it_is_opened_and_torch_answers(
    home: Path, damage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = embedder_in(home)
    folder = session_in(home, embedder.fingerprint)
    DAMAGE[damage](folder)
    with pytest.raises(IntegrityError):
        FastSession(folder, MODEL, embedder.fingerprint)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("opened"))
    with caplog.at_level(logging.WARNING):
        assert embedder.embed(["a kettle"]).shape == (1, 384)
    assert str(folder) in caplog.text
    assert embedder.lacks_fast_session


def test_f06_a_sealed_session_that_is_no_graph_is_refused(home: Path) -> None:
    """Somebody wrote the digests too: onnxruntime's own reader has the last word, and torch answers."""
    embedder = embedder_in(home)
    folder = session_in(home, embedder.fingerprint)
    about = json.loads((folder / ABOUT).read_text())
    (folder / GRAPH).write_bytes(random.Random(6).randbytes(4000))
    (folder / ABOUT).unlink()
    write_about(folder, {name: about[name] for name in ("engine", "fingerprint", "max_tokens")})
    with pytest.raises(IntegrityError, match="cannot open"):
        FastSession(folder, MODEL, embedder.fingerprint)
    assert embedder.embed(["a kettle"]).shape == (1, 384)


def test_a_session_of_other_weights_is_refused_wherever_it_was_put(home: Path, embedder: LocalEmbedder) -> None:
    there = session_in(home, embedder.fingerprint)
    other = session_in(home, "another fingerprint")
    shutil.move(there, other)
    with pytest.raises(IntegrityError, match="other weights"):
        FastSession(other, MODEL, "another fingerprint")


def test_a_damaged_session_is_made_anew_and_leftovers_and_older_ones_go(
    made: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = embedder_in(home)
    without_export(monkeypatch, session_in(made, embedder.fingerprint))
    folder = session_in(home, embedder.fingerprint)
    older = folder.with_name("0" * 32)
    shutil.copytree(folder, older)
    (folder.parent / ".tmp-999999999-dead").mkdir()
    flipped(folder / GRAPH)
    assert embedder.lacks_fast_session
    assert embedder.make_fast_session() is not None
    assert not embedder.lacks_fast_session
    assert embedder.fast_session is not None
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == [GRAPH, f"{GRAPH}.data", ABOUT]


# --- refusals -----------------------------------------------------------------------


def test_vectors_that_differ_are_refused_and_nothing_is_published(
    home: Path, embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FastSession.embed

    def worse(self: FastSession, texts: list[str]) -> object:
        vectors = whole(self, texts)
        vectors[3] = np.roll(vectors[3], 1)
        return vectors

    monkeypatch.setattr(FastSession, "embed", worse)
    without_export(monkeypatch, session_in(home, embedder.fingerprint))
    with pytest.raises(Refused, match="least cosine"):
        make_session(home / "elsewhere", MODEL, embedder.fingerprint, embedder._loaded("fp32").model)
    assert list((home / "elsewhere").iterdir()) == []


def test_a_tokenizer_that_reads_otherwise_is_refused(
    home: Path, embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FastSession.token_ids
    monkeypatch.setattr(FastSession, "token_ids", lambda self, text: whole(self, text.upper() + "!"))
    without_export(monkeypatch, session_in(home, embedder.fingerprint))
    with pytest.raises(Refused, match="in another way"):
        make_session(home / "elsewhere", MODEL, embedder.fingerprint, embedder._loaded("fp32").model)


def test_a_refusal_is_kept_so_that_it_is_not_tried_at_every_question(
    tmp_path: Path, embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("no graph of this model")

    monkeypatch.setattr(fast_making, "_export", refuse)
    first = load_embedder(FP32, cache_file=tmp_path / "cache.db")
    assert first.lacks_fast_session
    assert first.make_fast_session() is None
    assert not load_embedder(FP32, cache_file=tmp_path / "cache.db").lacks_fast_session
    assert first.embed(["a kettle"]).shape == (1, 384)


def test_without_the_engine_torch_does_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "engine", lambda: "")
    monkeypatch.setattr("genaiops.embedding.fast_session.engine", lambda: "")
    embedder = embedder_in(home)
    assert embedder.fast_session is None
    assert not embedder.lacks_fast_session
    assert embedder.embed(["a kettle"]).shape == (1, 384)
