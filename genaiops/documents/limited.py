"""PDF, HTML, Office files and e-mail, parsed in a child process that time, memory and output size bound.

These formats are programs for their parser, and files come from strangers: a small one may
ask for hours or gigabytes. One child takes file after file, since starting it costs more
than most files; a file that exhausts or crashes a child which served others before is tried
once more in a fresh one, so its outcome doesn't depend on its neighbours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from genaiops.documents.loading import Corpus, EmptyDocument, LimitExceeded, Limits, decoded, plain
from genaiops.errors import DocumentError
from genaiops.records import Document

_CHILD = Path(__file__).with_name("parsers") / "__main__.py"
_LENGTH_BYTES = 8
_OUT_OF_MEMORY = (77, 120)  # exit codes: the child's, and Python's for an end for which no memory was left
_START_S = 120.0  # importing a parser is no file's fault, and takes long on a busy machine
_LAST_S = 10.0  # for a child that hung up to end
# A parser of hostile files is not told our keys; it needs only what starts Python.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "HOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class _Broken(Exception):
    """The child ended, or was ended, before it answered."""


class _Child:
    """One running parser."""

    def __init__(self, kind: str, limits: Limits) -> None:
        self.limits = limits
        self.timed_out = False
        self._ready = False
        command = [sys.executable, "-P", "-B", "-s", str(_CHILD), kind]
        command += [str(limits.memory_mb), str(limits.timeout_s), str(limits.text_bytes)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            start_new_session=True,  # an interrupt of ours is not for the child
        )

    def ask(self, content: bytes) -> dict[str, Any]:
        """The child's answer; `_Broken` if there is none within the time limit."""
        try:
            if not self._ready:
                with self._ended_after(_START_S):
                    self._receive()
                self._ready = True
            with self._ended_after(self.limits.timeout_s):
                answer: dict[str, Any] = json.loads(self._exchange(content))
        except (OSError, ValueError):
            raise _Broken from None
        return answer

    @contextmanager
    def _ended_after(self, seconds: float) -> Iterator[None]:
        """Killing the child ends whichever pipe we wait on, so one timer bounds sending, parsing and receiving."""
        timer = threading.Timer(seconds, self._expire)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _exchange(self, content: bytes) -> bytes:
        if self._process.stdin is None:
            raise OSError("no pipe")
        self._process.stdin.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)
        self._process.stdin.flush()
        return self._receive()

    def _receive(self) -> bytes:
        if self._process.stdout is None:
            raise OSError("no pipe")
        head = self._process.stdout.read(_LENGTH_BYTES)
        if len(head) < _LENGTH_BYTES:
            raise OSError("the child has ended")
        size = int.from_bytes(head, "big")
        # JSON spells a character with up to 12 bytes; whoever sends more is not our child any longer.
        if size > 12 * self.limits.text_bytes + 1_000_000:
            raise OSError("answer too large")
        return self._process.stdout.read(size)

    def _expire(self) -> None:
        self.timed_out = True
        self._process.kill()

    def close(self, *, after_s: float = 0.0) -> None:
        """End the child; one that hung up by itself has `after_s` to say by its exit code why."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(after_s)
        self._process.kill()
        self._process.communicate()

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode


class InChild:
    """What the loaders of these formats share: the running child, started with the first file."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]  # that parse
    ours: ClassVar[int] = 1  # our version of the parser
    cached = True
    empty = "holds no text"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: _Child | None = None

    @property
    def version(self) -> str:
        return _version_with(*self.packages, ours=self.ours)

    def load(self, content: bytes, document_id: str) -> Corpus:
        if not content or content.isspace():
            raise EmptyDocument("is empty", where=document_id)
        return self._parse(content, document_id)

    def close(self) -> None:
        """End the child; another file would start the next."""
        if self._child is not None:
            self._child.close()
        self._child = None

    def _parse(self, content: bytes, document_id: str) -> Corpus:
        served_others = self._child is not None
        answer = self._ask(content)
        if served_others and answer.get("limit") in ("memory", "crash"):
            answer = self._ask(content)
        if "limit" in answer:
            raise LimitExceeded(answer["refused"], where=document_id)
        if "refused" in answer:
            raise DocumentError(answer["refused"], where=document_id)
        text, metadata = str(answer["text"]), plain(answer["metadata"])
        if not text or text.isspace():
            raise EmptyDocument(self.empty, where=document_id)
        return Corpus((Document(document_id, text, metadata),))

    def _ask(self, content: bytes) -> dict[str, Any]:
        """The child's answer, with the key `limit` when a limit ended it, and the child with it."""
        child = self._child = self._child or _Child(self.name, self._limits)
        try:
            answer = child.ask(content)
        except _Broken:
            self._child = None
            # Out of memory, a child closes its pipe first; killed then, it would look as if it had crashed.
            child.close(after_s=0.0 if child.timed_out else _LAST_S)
            if child.timed_out:
                slow = f"took longer than documents.parse_timeout_s={self._limits.timeout_s:g}"
                return {"limit": "time", "refused": slow}
            if child.exit_code in _OUT_OF_MEMORY:
                large = f"needs more memory than documents.parse_memory_mb={self._limits.memory_mb}"
                return {"limit": "memory", "refused": large}
            return {"limit": "crash", "refused": "its parser crashed"}
        return answer


class PdfLoader(InChild):
    """A PDF file: its text with Markdown headings, a form feed between pages; title, author and pages as metadata."""

    name = "pdf"
    packages = ("pypdf",)
    ours = 2


class HtmlLoader(InChild):
    """An HTML page: its visible text as Markdown, without navigation; the title as metadata. Nothing is fetched."""

    name = "html"
    packages = ("beautifulsoup4",)
    ours = 2
    empty = "holds no visible text"

    def load(self, content: bytes, document_id: str) -> Corpus:
        return self._parse(decoded(content, document_id).encode(), document_id)


class MailLoader(InChild):
    """An e-mail message: subject and text; sender, receivers, date and the names of attachments as metadata."""

    name = "mail"
    packages = ("beautifulsoup4",)
    ours = 2
    empty = "holds no text but attachments perhaps"


class _OfficeLoader(InChild):
    """What the Office formats share: the extra that brings their parsers."""

    def load(self, content: bytes, document_id: str) -> Corpus:
        missing = [package for package in self.packages if content and _version_of(package) == "absent"]
        if missing:
            raise DocumentError(
                f".{self.name} files need {' and '.join(missing)}",
                where=document_id,
                remedy="pip install 'genaiops[office]', with -c constraints.txt in the folder of genaiops",
            )
        return super().load(content, document_id)


class DocxLoader(_OfficeLoader):
    """A Word file as Markdown; title and author as metadata."""

    name = "docx"
    packages = ("markitdown", "mammoth")


class PptxLoader(_OfficeLoader):
    """A PowerPoint file: its slides as Markdown with a form feed between them; title, author and slides as metadata."""

    name = "pptx"
    packages = ("markitdown", "python-pptx")


class XlsxLoader(_OfficeLoader):
    """An Excel file: each sheet a section, each row a paragraph; title, author and sheets as metadata."""

    name = "xlsx"
    packages = ("openpyxl",)


@cache
def _version_with(*packages: str, ours: int = 1) -> str:
    """Our version and that of each package that parses, none of which is imported for it."""
    return " ".join([str(ours), *(f"{package} {_version_of(package)}" for package in packages)])


@cache
def _version_of(package: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
