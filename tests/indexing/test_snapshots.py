"""A snapshot gives back what was put in, tells what it is, and is published whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genaiops.chunking import ChunkingSettings, chunker_for
from genaiops.errors import IndexMismatch, IntegrityError, NotBuilt
from genaiops.files import sha256_of_file
from genaiops.indexing import Manifest, index_id, index_inputs, read_manifest, verify_files
from genaiops.indexing.snapshot import load_index, read_documents_of, write_index
from genaiops.records import Document, Metadata
from tests.builds import files_of
from tests.small_project import DOCUMENTS
from tests.words_embedder import WordsEmbedder

CORPUS = tuple(Document(name, text, {"pages": 1, "tags": ["ä", None]}) for name, text in DOCUMENTS.items())
SETTINGS: Metadata = {"chunking": {"size": 200}, "enrichment": [], "index": {"store": "faiss", "kind": "flat"}}


def written(
    folder: Path,
    *,
    documents: tuple[Document, ...] = CORPUS,
    settings: Metadata = SETTINGS,
    facts: Metadata | None = None,
) -> Manifest:
    embedder = WordsEmbedder()
    chunker = chunker_for(ChunkingSettings(size=200, overlap=0), ("heading_path",))
    chunks = [chunk for document in documents for chunk in chunker.chunk(document)]
    vectors = embedder.embed([chunk.indexed_text for chunk in chunks])
    inputs = index_inputs(documents, settings, embedder.fingerprint)
    return write_index(folder, inputs, documents, chunks, vectors, facts or {})


def load(folder: Path, manifest: Manifest) -> list[str]:
    return [chunk.id for chunk in load_index(folder / manifest.id, embedder="words-1").chunks]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    manifest = written(tmp_path, facts={"precision": "fp32"})
    index = load_index(tmp_path / manifest.id, embedder="words-1")
    assert index.manifest == manifest == read_manifest(tmp_path / manifest.id)
    assert index.id == manifest.id
    assert len(index.chunks) == len(index.vectors) == manifest.counts["chunks"] >= 6
    assert index.vectors.dimension == manifest.counts["dimension"] == 32
    for chunk in index.chunks:
        assert chunk.text == DOCUMENTS[chunk.document_id][chunk.start : chunk.end]
        assert chunk.indexed_text.endswith(chunk.text)
    assert read_documents_of(tmp_path / manifest.id) == tuple(sorted(CORPUS, key=lambda document: document.id))
    assert manifest.facts == {"precision": "fp32", "kind": "flat"}


def test_a_vector_finds_its_own_chunk(tmp_path: Path) -> None:
    index = load_index(tmp_path / written(tmp_path).id, embedder="words-1")
    for position, chunk in enumerate(index.chunks):
        found = index.vectors.search(WordsEmbedder().embed([chunk.indexed_text])[0], 3)
        assert found[0][0] == position
        assert found[0][1] == pytest.approx(1.0, abs=1e-5)
        assert index.full_text.search(chunk.indexed_text, 1)[0][0] == position


def test_the_id_is_the_digest_of_the_inputs_and_of_nothing_else(tmp_path: Path) -> None:
    first = written(tmp_path / "a", facts={"machine": "one"})
    second = written(tmp_path / "b", documents=CORPUS[::-1], facts={"machine": "two"})
    assert first.id == second.id == index_id(first.inputs)
    assert first.id not in {
        written(tmp_path, documents=CORPUS[1:]).id,
        written(tmp_path, documents=(replace(CORPUS[0], text="Other."), *CORPUS[1:])).id,
        written(tmp_path, documents=(replace(CORPUS[0], id="moved.md"), *CORPUS[1:])).id,
        written(tmp_path, documents=(replace(CORPUS[0], metadata={}), *CORPUS[1:])).id,
        written(tmp_path, settings={**SETTINGS, "enrichment": ["heading_path"]}).id,
        index_id({**first.inputs, "embedding": "words-2"}),
        index_id({**first.inputs, "format": 3}),
    }


def test_every_file_but_the_manifest_has_its_digest_in_it(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    folder = tmp_path / manifest.id
    assert {path.relative_to(folder).as_posix() for path in files_of(folder)} == {*manifest.files, "manifest.json"}
    verify_files(folder, manifest.files)


def test_nothing_but_the_snapshot_is_left(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [manifest.id]


def test_writing_the_same_index_again_keeps_the_first(tmp_path: Path) -> None:
    first = written(tmp_path, facts={"turn": 1})
    written(tmp_path, facts={"turn": 2})
    assert read_manifest(tmp_path / first.id).facts["turn"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [first.id]


def test_an_error_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    inputs = index_inputs(CORPUS, SETTINGS, "words-1")
    with pytest.raises(KeyError):
        write_index(tmp_path, {**inputs, "index": {"kind": "cube"}}, CORPUS, [], np.zeros((0, 4), np.float32), {})
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_no_chunks_finds_nothing(tmp_path: Path) -> None:
    blank = (Document("blank.md", " \n "),)
    inputs = index_inputs(blank, SETTINGS, "words-1")
    manifest = write_index(tmp_path, inputs, blank, [], np.zeros((0, 32), np.float32), {})
    index = load_index(tmp_path / manifest.id, embedder="words-1")
    assert len(index.chunks) == 0
    assert index.vectors.search(np.ones(32, np.float32), 5) == []
    assert index.full_text.search("kettle", 5) == []


def test_where_nothing_was_built_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match="genaiops build"):
        load_index(tmp_path / "nothing", embedder="words-1")


def test_another_embedder_is_refused_before_any_file_is_read(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    (tmp_path / manifest.id / "vectors.faiss").unlink()
    with pytest.raises(IndexMismatch, match="built with embedder words-1, the flow now uses other"):
        load_index(tmp_path / manifest.id, embedder="other")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"7", b'"text"', b"\xff", b"[" * 200_000, b'{"digest": "0", "format": 1}'],
)
def test_a_manifest_of_anything_else_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / written(tmp_path).id / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="manifest is damaged") as caught:
        read_manifest(path.parent)
    assert caught.value.where == str(path)


def test_a_manifest_written_anew_by_hand_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / written(tmp_path, facts={"precision": "fp32"}).id / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(data), encoding="utf-8")  # the same values in other bytes
    with pytest.raises(IntegrityError, match="damaged"):
        read_manifest(path.parent)
    data["facts"]["precision"] = "bf16"
    path.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
    with pytest.raises(IntegrityError, match="damaged"):
        read_manifest(path.parent)


def test_a_manifest_of_another_index_is_refused(tmp_path: Path) -> None:
    one, two = written(tmp_path), written(tmp_path, documents=CORPUS[1:])
    (tmp_path / one.id / "manifest.json").write_bytes((tmp_path / two.id / "manifest.json").read_bytes())
    with pytest.raises(IntegrityError, match="does not belong"):
        load(tmp_path, one)


def test_a_renamed_folder_is_refused(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    (tmp_path / manifest.id).rename(tmp_path / ("0" * 64))
    with pytest.raises(IntegrityError, match="does not belong"):
        read_manifest(tmp_path / ("0" * 64))


def test_an_index_of_a_newer_version_asks_for_an_upgrade(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    newer = replace(manifest, format=99)
    (tmp_path / manifest.id / "manifest.json").write_bytes(newer.text.encode())
    with pytest.raises(IntegrityError, match="has format 99, this version reads up to 2") as caught:
        load(tmp_path, manifest)
    assert caught.value.remedy == "upgrade genaiops"


def test_a_hostile_file_under_an_honest_manifest_is_an_error_not_a_crash(tmp_path: Path) -> None:
    """Whoever may write the folder can make the digests right; parsing must still end in an error."""
    manifest = written(tmp_path)
    folder = tmp_path / manifest.id
    whole = {path: path.read_bytes() for path in files_of(folder)}
    for name in manifest.files:
        for content in (b"", b"\x00" * 64, whole[folder / name][:40], b"IxFI" + b"\xff" * 60):
            for path, data in whole.items():
                path.write_bytes(data)
            (folder / name).write_bytes(content)
            digests = {n: sha256_of_file(folder / n) for n in manifest.files}
            (folder / "manifest.json").write_bytes(replace(manifest, files=digests).text.encode())
            if name in (
                "documents.jsonl",
                "provenance.jsonl",
            ):  # not read when an index is opened; no lines are no documents
                if content:
                    with pytest.raises(IntegrityError):
                        read_documents_of(folder)
            elif name != "full_text/counts.u32":  # read by the next build only
                with pytest.raises(IntegrityError):
                    load(tmp_path, manifest)
