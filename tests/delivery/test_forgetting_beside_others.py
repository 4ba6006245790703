"""Erasing a document in projects that name it in settings, hold others of its name, or were interrupted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from genaiops.delivery import allow_again, forget, read_receipts, release_flow
from genaiops.delivery.forgetting.erasure import JOURNAL_FILE
from genaiops.delivery.forgetting.finding import find, holdings
from genaiops.delivery.forgetting.indexes import issue_again
from genaiops.delivery.rebuilding import rebuild_index
from genaiops.embedding import EmbeddingSettings
from genaiops.errors import Conflict, IndexMismatch
from genaiops.flow import Flow
from genaiops.flow.history import read_history
from genaiops.flow.tombstones import blocked, bury
from genaiops.indexing import read_manifest, verify_files
from genaiops.indexing.snapshot import read_documents_of
from genaiops.project import Project
from genaiops.records import Document
from genaiops.testing import ScriptedModelServer
from tests.flow import workshop
from tests.words_embedder import WordsEmbedder

FLOW = """\
name: {name}
documents: {{{documents}}}
chunking: {{strategy: markdown, size: 200, overlap: 0}}
prompt: cited
evaluation: {{golden_set: golden.jsonl}}
"""
FOXES = "# Foxes\n\nThe quick brown fox jumps over the lazy dog while seven purple elephants dance quietly.\n"
GOLDEN = '{"id": "1", "question": "What?", "reference": "B", "evidence": [{"document": "b.md", "quote": "lakes"}]}\n'
NORTH = "# North\n\nEntirely different words about mountains, rivers, lakes and the long winters up there.\n"


def loaded(folder: Path) -> Flow:
    flow = workshop.load(folder)
    flow.__dict__["embedder"] = WordsEmbedder()
    return flow


def built(
    root: Path, name: str, documents: str, files: Mapping[str, str], more: str = "", *, words: bool = True
) -> Flow:
    """A flow with these files in its folder, built; `documents` is the inside of its part of flow.yaml.

    Embedded by WordsEmbedder, unless `words` is false.
    """
    (root / "genaiops.yaml").write_text("environments: [dev]\ntracking: none\n")
    folder = root / "flows" / name
    written = {
        "prompts/cited.prompty": workshop.PROMPT.format(name="cited", support=0.3),
        "flow.yaml": FLOW.format(name=name, documents=documents) + more,
        **files,
    }
    for file, content in written.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content)
    flow = loaded(folder) if words else workshop.load(folder)
    flow.build()
    return flow


def test_a_file_that_settings_name_can_be_erased(tmp_path: Path) -> None:
    flow = built(tmp_path, "one", "sources: [a.md, b.md]", {"a.md": FOXES, "b.md": NORTH})
    receipt = forget(flow, document="a.md")
    assert receipt.proved
    assert any("settings that name it" in text for text in receipt.outside)


def test_a_file_that_an_earlier_build_left_out_can_be_erased(tmp_path: Path) -> None:
    flow = built(tmp_path, "one", "sources: [docs], exclude: [a.md]", {"docs/a.md": FOXES, "docs/b.md": NORTH})
    (flow.folder / "flow.yaml").write_text(FLOW.format(name="one", documents="sources: [docs]"))
    again = loaded(flow.folder)
    again.build()
    assert forget(again, document="a.md").proved


def test_an_erasure_by_text_is_done_after_the_one_that_was_begun(tmp_path: Path) -> None:
    files = {"docs/a.md": FOXES, "docs/b.md": NORTH, "docs/c.md": "# C\n\nNothing of the sort stands in here today."}
    flow = built(tmp_path, "one", "sources: [docs]", files)
    find(flow.project, "one", document="a.md").save(flow.project)  # as one that was killed at its start
    forget(flow, text=NORTH)
    assert len(read_receipts(flow.project)) == 2
    kept = [document.id for folder in flow.project.indexes.iterdir() for document in read_documents_of(folder)]
    assert kept == ["c.md"]


def test_an_erasure_by_text_that_was_begun_is_finished_by_the_same_command(tmp_path: Path) -> None:
    flow = built(tmp_path, "one", "sources: [docs]", {"docs/a.md": FOXES, "docs/b.md": NORTH})
    find(flow.project, "one", text=NORTH).save(flow.project)
    assert forget(flow, text=NORTH).proved
    assert len(read_receipts(flow.project)) == 1


def test_a_kill_while_the_journal_is_overwritten_blocks_no_later_erasure(tmp_path: Path) -> None:
    flow = built(tmp_path, "one", "sources: [docs]", {"docs/a.md": FOXES, "docs/b.md": NORTH})
    (flow.project.home / JOURNAL_FILE).write_bytes(b"\0" * 100 + b'"flow": "one"}')
    assert forget(flow, document="a.md").proved
    assert not (flow.project.home / JOURNAL_FILE).exists()


def test_cases_about_another_flows_document_of_the_same_name_stay(tmp_path: Path) -> None:
    case = {"id": "1", "question": "What?", "reference": "B", "evidence": [{"document": "index.md", "quote": "the"}]}
    golden = json.dumps(case) + "\n"
    one = built(tmp_path, "one", "sources: [docs]", {"docs/index.md": FOXES, "docs/b.md": NORTH})
    two = built(tmp_path, "two", "sources: [docs]", {"docs/index.md": NORTH, "golden.jsonl": golden})
    assert forget(one, document="index.md").proved
    assert (two.folder / "golden.jsonl").read_text() == golden


def test_a_document_is_allowed_again_although_its_words_were_erased_under_another_id_too(tmp_path: Path) -> None:
    project = built(tmp_path, "one", "sources: [docs]", {"docs/b.md": NORTH}).project
    twins = [Document("a.md", FOXES), Document("copy.md", FOXES)]
    bury(project, twins)
    assert allow_again(loaded(tmp_path / "flows" / "one"), "a.md") == 1
    assert [blocked(project)(document) for document in twins] == [False, True]


def test_a_reason_that_names_the_document_goes_with_it(tmp_path: Path) -> None:
    files = {"docs/a.md": FOXES, "docs/copy.md": FOXES, "docs/b.md": NORTH}
    flow = built(tmp_path, "one", "sources: [docs]", files)
    manifest = flow.project.indexes / flow.index_id / "manifest.json"
    assert "says the same as 'a.md'" in manifest.read_text()
    forget(flow, document="a.md")
    left = [path for path in flow.project.home.rglob("*") if path.is_file() and b"'a.md'" in path.read_bytes()]
    assert left == []


def test_settings_of_another_version_keep_nothing_from_being_erased(tmp_path: Path) -> None:
    flow = built(tmp_path, "one", "sources: [docs]", {"docs/a.md": FOXES, "docs/b.md": NORTH})
    told = flow.project.flows / "one" / "history.jsonl"
    row = json.loads(told.read_text())
    row["settings"]["someday"] = 1
    told.write_text(json.dumps(row) + "\n")
    with pytest.raises(IndexMismatch, match="cannot be made again") as caught:
        rebuild_index(flow.project, flow.index_id)
    assert "this version does not know 1" in caught.value.remedy
    assert forget(flow, document="a.md").proved
    assert [built.reason for built in read_history(flow.project, "one")] == ["build", "forget"]


def test_it_stays_away_under_another_name_where_boilerplate_is_taken_out(tmp_path: Path) -> None:
    footer = "\nThis footer line stands on every page of the handbook, copyright of us.\n"
    others = {name: f"# {name}\n\nA text of its own about {name} and nothing else.\n" for name in ("cars", "birds")}
    files = {f"docs/{name}.md": text + footer for name, text in {"a": FOXES, "b": NORTH, **others}.items()}
    flow = built(tmp_path, "one", "sources: [docs]", files, "cleansing: {boilerplate: {min_documents: 3}}\n")
    assert "footer" not in flow.documents()[0].text
    forget(flow, document="a.md")
    (flow.folder / "docs/a.md").rename(flow.folder / "docs/z.md")
    again = loaded(flow.folder)
    assert again.build().erased == 1
    assert "z.md" not in {document.id for document in again.documents()}
    left = [path for path in flow.project.home.rglob("*") if path.is_file() and b"elephants" in path.read_bytes()]
    assert left == []


@pytest.mark.parametrize("survived", [1, 2, 3])
def test_a_kill_leaves_an_index_that_only_names_the_document_in_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    one = built(tmp_path, "one", "sources: [docs]", {"docs/a.md": FOXES, "docs/b.md": NORTH})
    two = built(tmp_path, "two", "sources: [docs]", {"docs/0.md": NORTH, "docs/a.md": NORTH})  # a.md: left out
    assert '"a.md"' in (two.project.indexes / two.index_id / "manifest.json").read_text()
    erasure = find(one.project, "one", document="a.md")
    (holding,) = [found for found in holdings(one.project, erasure) if found.flow == "two"]
    done = 0

    def killed_after(rename: Callable[..., None]) -> Callable[..., None]:
        def renamed(before: Path, after: Path) -> None:
            nonlocal done
            rename(before, after)
            done += 1
            if done == survived:
                raise KeyboardInterrupt

        return renamed

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", killed_after(os.rename))
        patched.setattr(os, "replace", killed_after(os.replace))
        with suppress(KeyboardInterrupt):
            issue_again(one.project, erasure, holding)
    verify_files(holding.folder, read_manifest(holding.folder).files)
    assert forget(one, document="a.md").proved
    assert [document.id for document in loaded(two.folder).documents()] == ["0.md"]
    assert "a.md" not in (two.project.indexes / two.index_id / "manifest.json").read_text()


def test_a_document_that_a_released_filter_names_can_be_erased(tmp_path: Path) -> None:
    about = {"reference": "Lakes", "evidence": [{"document": "b.md", "quote": "lakes"}]}
    cases = [{"id": str(n), "question": f"What is at {n}?", **about} for n in range(70)]
    flow = built(
        tmp_path, "one", "sources: [docs]",
        {
            "docs/a.md": FOXES,
            "docs/b.md": NORTH,
            "golden.jsonl": "".join(json.dumps(case) + "\n" for case in cases),
            "gate.yaml": "rules: [{measure: latency_p95_s, at_most: 600}]\n",
        },
        "retrieval: {where: {document: {not: a.md}}}\n",
    )  # fmt: skip
    flow = loaded(flow.folder)
    released, _ = release_flow(flow)
    receipt = forget(flow, document="a.md")
    assert receipt.proved
    assert any("releases" in text for text in receipt.outside)
    (path,) = flow.project.releases.glob("*.json")
    assert path.stem != released.digest
    assert b"a.md" in path.read_bytes()


def test_vectors_that_an_index_keeps_only_compressed_are_asked_of_its_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genaiops.delivery.forgetting.indexes.vectors_in", lambda folder: None)
    with ScriptedModelServer(dimension=24) as server:
        files = {"docs/a.md": FOXES, "docs/b.md": NORTH}
        told = f"embedding: {{model: encoder, base_url: {server.base_url}, dimensions: 24}}\n"
        flow = built(tmp_path, "one", "sources: [docs]", files, told, words=False)
        before = read_manifest(flow.project.indexes / flow.index_id)
        assert forget(flow, document="a.md").proved
        after = read_manifest(flow.project.indexes / workshop.load(flow.folder).index_id)
    assert (after.embedder, after.counts["documents"]) == (before.embedder, 1)


def test_the_model_of_an_index_is_looked_for_from_the_folder_of_its_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genaiops.delivery.forgetting.indexes.vectors_in", lambda folder: None)
    asked = []

    def embedder_of(settings: EmbeddingSettings, project: Project, base: Path) -> WordsEmbedder:
        asked.append((settings.model, base))
        return WordsEmbedder()

    monkeypatch.setattr("genaiops.flow.flow.embedder_of", embedder_of)
    files = {"docs/a.md": FOXES, "docs/b.md": NORTH, "docs/c.md": "# C\n\nNothing of the sort stands in here today."}
    flow = built(tmp_path, "one", "sources: [docs]", files, "embedding: {model: ./weights}\n")
    (flow.folder / "docs/b.md").write_text(NORTH.replace("long", "dark"))
    flow.build()  # the index before is of no pointer any more
    assert forget(flow, document="a.md").proved
    assert forget(loaded(flow.folder), document="b.md").proved
    assert set(asked) == {("./weights", flow.folder)}


LEFTOVER = f".tmp-{2**22 + 1}-0123456789abcdef"  # of a process that cannot be


@pytest.mark.parametrize("where", ["home/evaluations", "home/receipts", "home/mlflow", "flow"])
def test_what_killed_writers_left_is_swept_wherever_it_lies(tmp_path: Path, where: str) -> None:
    files = {"docs/a.md": FOXES, "docs/b.md": NORTH, "golden.jsonl": GOLDEN, ".tmp-mine": FOXES}
    flow = built(tmp_path, "one", "sources: [docs]", files)
    left = (flow.folder if where == "flow" else flow.project.home / Path(where).name) / LEFTOVER
    left.parent.mkdir(exist_ok=True)
    left.write_text(FOXES)
    assert forget(flow, document="a.md").proved
    assert not left.exists()
    assert (flow.folder / ".tmp-mine").exists()  # a name that we never give


@pytest.mark.parametrize("where", ["home", "flow"])
def test_what_a_living_process_writes_is_looked_at_and_named(tmp_path: Path, where: str) -> None:
    files = {"docs/a.md": FOXES, "docs/b.md": NORTH, "golden.jsonl": GOLDEN}
    flow = built(tmp_path, "one", "sources: [docs]", files)
    left = (flow.folder if where == "flow" else flow.project.home) / f".tmp-{os.getpid()}-0123456789abcdef"
    left.write_text(FOXES)
    with pytest.raises(Conflict, match=re.escape(left.name)):
        forget(flow, document="a.md")
    left.unlink()
    assert forget(flow, document="a.md").proved


@pytest.mark.parametrize(
    ("sources", "stays", "present", "said"),
    [
        ("[docs]", True, True, "still there; builds"),
        ("[docs]", False, False, ""),
        ('["docs/*.md"]', True, None, "is unknown"),
        ("[file://{folder}/docs]", True, None, "is unknown"),
        ("[docs, file://{folder}/more]", True, True, "still there; builds"),
        ("[docs, file://{folder}/more]", False, None, "is unknown"),
    ],
)
def test_a_source_that_was_not_looked_at_is_not_said_to_be_gone(
    tmp_path: Path, sources: str, stays: bool, present: bool | None, said: str
) -> None:
    files = {"docs/a.md": FOXES, "docs/b.md": NORTH, "more/c.md": "# C\n\nNothing of the sort stands in here today."}
    told = sources.replace("{folder}", (tmp_path / "flows" / "one").as_posix())
    flow = built(tmp_path, "one", f"sources: {told}", files)
    if not stays:
        (flow.folder / "docs/a.md").unlink()
    receipt = forget(flow, document="a.md")
    assert receipt.source_present is present
    assert read_receipts(flow.project) == [receipt]
    assert said in str(receipt)
    assert ("its source is still there" in str(receipt)) is bool(said)
