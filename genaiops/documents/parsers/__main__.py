"""A child process that turns bytes into text and can do little else.

    python -P parsers/__main__.py KIND MEMORY_MB TIMEOUT_S MAX_CHARACTERS

KIND is `pdf`, `html`, `mail`, `docx`, `pptx` or `xlsx`. It reads files from standard input
and answers each on standard output, every message led by its length in eight bytes. An answer
is a JSON object: `{"text", "metadata"}`, where an empty text means that there is none, or
`{"refused": reason}`; out of memory it exits with 77. Before the first file it limits its
memory, gives up writing files, connecting anywhere and starting programs, and sends an empty
message: it is ready.
It does not import the package around it, which would cost more than most files do.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

Reader = Callable[[bytes, int], dict[str, Any]]

_FORBIDDEN = frozenset({
    "socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.fork",
    "os.posix_spawn", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.symlink", "os.link",
    "os.chmod", "os.chown", "os.kill", "shutil.rmtree",
})  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LENGTH_BYTES = 8
OUT_OF_MEMORY = 77  # exit code


def main(kind: str, memory_mb: int, timeout_s: float, max_characters: int) -> None:
    reader = _reader(kind)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    _confine(memory_mb)
    _write_message(answers, b"")  # ready: from now on time is counted
    while (content := _read_message(sys.stdin.buffer)) is not None:
        # Should the parent be gone, nobody else would end a file that never ends.
        signal.setitimer(signal.ITIMER_REAL, 2 * timeout_s + 5)
        _write_message(answers, json.dumps(_answer(reader, content, max_characters)).encode())
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(reader: Reader, content: bytes, max_characters: int) -> dict[str, Any]:
    try:
        return reader(content, max_characters)
    except MemoryError:
        raise
    except RecursionError:
        return {"refused": "is nested too deeply"}
    except Exception as error:
        # Parsers fail in ways of their own on broken files; whatever it was, this file has no text.
        text = " ".join(str(error).split())
        return {"refused": text if type(error).__name__ == "Refused" else f"{type(error).__name__}: {text[:200]}"}


def _reader(kind: str) -> Reader:
    """The parser, imported before memory is limited, from the files beside this one."""
    if kind == "pdf":
        pdf, headings = _sibling("pdf_text"), _sibling("pdf_headings")
        return lambda content, most: dict(pdf.read_pdf(content, most, headings.marked)._asdict())
    if kind in ("docx", "pptx", "xlsx"):
        office = _sibling("office_text")
        office.prepare(kind)
        return lambda content, most: dict(office.read_office(content, kind, most)._asdict())
    html = _sibling("html_text")
    if kind == "mail":
        mail = _sibling("mail_text")
        return lambda content, _: dict(mail.read_mail(content, lambda page: html.read_page(page).text)._asdict())

    def read_page(content: bytes, _: int) -> dict[str, Any]:
        page = html.read_page(content.decode())
        return {"text": page.text and page.text + "\n", "metadata": {"title": page.title} if page.title else {}}

    return read_page


def _sibling(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _confine(memory_mb: int) -> None:
    # Libraries map far more address space than they fill; the limit is for what a file makes of it.
    size = memory_mb * 1024 * 1024 + _mapped_unused()
    with contextlib.suppress(ValueError, OSError):  # macOS knows this limit but sets none
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_forbid)


def _mapped_unused() -> int:
    """Bytes of address space that this process has mapped and not filled yet; 0 where /proc does not tell."""
    try:
        mapped, resident = Path("/proc/self/statm").read_text().split()[:2]
    except OSError:
        return 0
    return (int(mapped) - int(resident)) * resource.getpagesize()


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
        raise PermissionError(f"a parser may not do this: {event}")


def _write_message(stream: BinaryIO, message: bytes) -> None:
    stream.write(len(message).to_bytes(LENGTH_BYTES, "big") + message)
    stream.flush()


def _read_message(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    return stream.read(int.from_bytes(head, "big"))


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # nothing else is sure to work
