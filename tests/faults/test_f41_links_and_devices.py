"""Links, devices and names inside archives lead no reader out of its source, whichever loader would read them."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import LOADERS, Corpus, DocumentSettings, read_documents
from tests.documents.office_files import docx, paragraph, zipped
from tests.documents.test_loaders import pdf

PRIVATE = "a private line"
# One good file for each suffix that holds the private line, and stands outside the source.
CONTENTS = {
    ".md": PRIVATE.encode(), ".markdown": PRIVATE.encode(), ".txt": PRIVATE.encode(),
    ".html": f"<p>{PRIVATE}".encode(), ".htm": f"<p>{PRIVATE}".encode(), ".pdf": pdf(PRIVATE),
    ".csv": f"a\n{PRIVATE}\n".encode(), ".json": f'{{"text": "{PRIVATE}"}}'.encode(),
    ".jsonl": f'{{"text": "{PRIVATE}"}}'.encode(), ".docx": docx(paragraph(PRIVATE)), ".pptx": b"x", ".xlsx": b"x",
    ".eml": f"Subject: x\n\n{PRIVATE}".encode(),
}  # fmt: skip


def read(root: Path, *sources: str) -> Corpus:
    return read_documents(validated_data(DocumentSettings, {"sources": sources or ["docs"]}, where=str), root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs/sub").mkdir(parents=True)
    (tmp_path / "docs/good.md").write_text("good")
    (tmp_path / "outside").mkdir()
    for suffix, content in CONTENTS.items():
        (tmp_path / f"outside/private{suffix}").write_bytes(content)
    return tmp_path


def test_the_cases_cover_every_format() -> None:
    assert set(CONTENTS) == set(LOADERS)


def test_no_link_out_of_a_source_is_followed_whatever_its_suffix(root: Path) -> None:
    made = 0
    for suffix in CONTENTS:
        target = root / f"outside/private{suffix}"
        ways = [
            target,
            os.path.relpath(target, root / "docs"),
            f"sub/../../outside/private{suffix}",
            f"/proc/self/root{target}",
        ]
        for number, way in enumerate(map(str, ways)):
            (root / f"docs/link{number}{suffix}").symlink_to(way)
            made += 1
        (root / f"docs/twice{suffix}").symlink_to(f"link0{suffix}")
        (root / f"docs/folder{suffix}").symlink_to(root / "outside")
        made += 2
    corpus = read(root)
    assert [d.id for d in corpus.documents] == ["good.md"]
    assert len(corpus.quarantined) == made
    assert all("leaves its source" in item.reason for item in corpus.quarantined)


def test_a_file_swapped_for_a_link_while_it_is_read_never_shows_its_target(root: Path) -> None:
    """The listing sees a file; what is opened may be a link to a private one by then."""
    victim, link = root / "docs/victim.md", root / "outside/link.md"
    victim.write_text("harmless")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            link.unlink(missing_ok=True)
            link.symlink_to(root / "outside/private.md")
            link.replace(victim)
            harmless = root / "outside/harmless.md"
            harmless.write_text("harmless")
            harmless.replace(victim)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        texts = {d.text for _ in range(300) for d in read(root).documents}
    finally:
        stop.set()
        thread.join()
    assert texts <= {"good", "harmless"}


def test_special_files_are_skipped_and_reported_whatever_their_suffix(root: Path) -> None:
    here = Path.cwd()
    sockets = []
    for suffix in CONTENTS:
        os.mkfifo(root / f"docs/pipe{suffix}")
        os.chdir(root / "docs")  # a socket's path may have 100 characters
        try:
            sockets.append(socket.socket(socket.AF_UNIX))
            sockets[-1].bind(f"socket{suffix}")
        finally:
            os.chdir(here)
        (root / f"docs/zero{suffix}").symlink_to("/dev/zero")
    corpus = read(root)
    for each in sockets:
        each.close()
    assert [d.id for d in corpus.documents] == ["good.md"]
    assert len(corpus.quarantined) == 3 * len(CONTENTS)


def test_a_hard_link_is_a_file_like_any_other(root: Path) -> None:
    """Nothing tells a hard link from the file; who may make one may read it."""
    os.link(root / "outside/private.md", root / "docs/hard.md")
    assert [d.id for d in read(root).documents] == ["good.md", "hard.md"]


def test_members_of_archives_are_never_unpacked_to_a_file(root: Path) -> None:
    names = [
        "../../evil.txt",
        "/tmp/evil-member.txt",
        "..\\..\\evil.txt",
        "word/../../evil.txt",
        "C:\\evil.txt",
        "word/\0x",
    ]
    content = docx(paragraph("text"), parts={name: b"evil" for name in names})
    (root / "docs/members.docx").write_bytes(content)
    (root / "docs/archive.xlsx").write_bytes(zipped({name: b"evil" for name in names}))
    before = sorted(root.rglob("*"))
    corpus = read(root)
    assert {d.id: d.text for d in corpus.documents} == {"good.md": "good", "members.docx": "text\n"}
    assert sorted(root.rglob("*")) == before
    assert not Path("/tmp/evil-member.txt").exists()
