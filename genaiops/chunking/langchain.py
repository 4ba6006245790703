"""Splitters of langchain-text-splitters, as far as they leave the text as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from genaiops.chunking.lengths import ruler_for
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.errors import ConfigurationError, DocumentError

# Those that need nothing but the text: no download, no other package.
SPLITTERS = (
    "CharacterTextSplitter", "RecursiveCharacterTextSplitter", "MarkdownTextSplitter", "LatexTextSplitter",
    "PythonCodeTextSplitter", "JSFrameworkTextSplitter", "MarkdownHeaderTextSplitter",
    "ExperimentalMarkdownSyntaxTextSplitter",
)  # fmt: skip
_BLACK = re.compile(r"\S")


class LangChainSplitter:
    """Finds each piece of the splitter in the text, so that every chunk is an exact span.

    `size`, `overlap` and `unit` become `chunk_size`, `chunk_overlap` and `length_function`; `arguments` win, and
    `language` asks for the separators of a language. The limits are the splitter's to keep, and it may drop
    white space only: DocumentError when a piece is not in the text or text is in no piece.
    """

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        if settings.splitter not in SPLITTERS:
            raise ConfigurationError(
                f"no splitter {settings.splitter!r} is run here", remedy=f"chunking.splitter: {', '.join(SPLITTERS)}"
            )
        self._settings, self._tools = settings, tools
        self._splitter()  # wrong arguments are heard of now

    def pieces(self, text: str) -> list[Piece]:
        parts = self._splitter().split_text(text)
        texts = [part if isinstance(part, str) else part.page_content for part in parts]
        return self._located(text, [part for part in texts if part.strip()])

    def _splitter(self) -> Any:
        import langchain_text_splitters as library

        kind = getattr(library, self._settings.splitter)
        arguments = dict(self._settings.arguments)
        if issubclass(kind, library.TextSplitter):
            sizes: dict[str, Any] = {"chunk_size": self._settings.size, "chunk_overlap": self._settings.overlap}
            if self._settings.unit == "tokens":
                sizes["length_function"] = self._counter()
            arguments = {**sizes, **arguments}
        make: Callable[..., Any] = kind
        if "language" in arguments and hasattr(kind, "from_language"):
            make = kind.from_language
        try:
            return make(**arguments)
        except (TypeError, ValueError, KeyError) as error:
            raise ConfigurationError(
                f"{self._settings.splitter} refuses its arguments: {error}", remedy="correct chunking.arguments"
            ) from None

    def _counter(self) -> Callable[[str], int]:
        def count(text: str) -> int:
            return ruler_for(text, self._settings, self._tools).length(0, len(text))

        return count

    def _located(self, text: str, parts: list[str]) -> list[Piece]:
        """The spans of the parts, which are in order and may overlap."""
        found: list[Piece] = []
        for part in map(str.strip, parts):
            start = _place(text, part, found[-1] if found else None)
            if start < 0:
                raise self._changes(f"{part[:60]!r} is not in it as it stands")
            while found and found[-1].start >= start:  # ran ahead in text that repeats itself; covered by this one
                found.pop()
            if not found or start + len(part) > found[-1].end:
                found.append(Piece(start, start + len(part)))
        end = 0
        for piece in (*found, Piece(len(text), len(text))):
            if lost := text[end : piece.start].strip():
                raise self._changes(f"{lost[:60]!r} is in no piece")
            end = piece.end
        return found

    def _changes(self, what: str) -> DocumentError:
        return DocumentError(
            f"{self._settings.splitter} changes the text: {what}",
            remedy="use a splitter or arguments that keep it (strip_headers: false), or strategy: markdown",
        )


def _place(text: str, part: str, before: Piece | None) -> int:
    """Where `part` begins, -1 when it is nowhere: the last place that leaves no text out after the piece before it.

    Text that repeats itself offers several, and the last may be ahead of the splitter's own: then a later part is
    found further back.
    """
    if before is None:
        return text.find(part)
    following = _BLACK.search(text, before.end)
    furthest = following.start() if following else len(text)
    place = text.rfind(part, 0, furthest + len(part))
    return place if place >= 0 else text.find(part, furthest)
