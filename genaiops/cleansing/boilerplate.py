"""Lines that stand in very many documents of a corpus: cookie banners, "Was this page helpful?", footers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from genaiops.cleansing.rewriting import Replacement, Rewritten
from genaiops.cleansing.settings import BoilerplateSettings
from genaiops.on_demand import OnDemand
from genaiops.records import Document

BOILERPLATE = "boilerplate"  # the kind of these edits
_SHORTEST, _LONGEST = 12, 300  # characters; shorter lines repeat by chance, longer ones are paragraphs
_LINE = re.compile(r"[^\n]++\n?|\n")
_FENCE = re.compile(r"[ \t]*+(?:```|~~~)")
# Headings, tables and comments are how documents are built, and alike in all of them.
_STRUCTURE = re.compile(r"#{1,6} |\||[-=*_ ]+\Z|<!--|:::|---")


class Rewriting(OnDemand[Document]):
    """Documents of a sequence, each taken from there and rewritten when it is asked for: none is held."""

    def __init__(self, documents: Sequence[Document], rewrite: Callable[[Document], Document]) -> None:
        self._documents = documents
        self._rewrite = rewrite

    def __len__(self) -> int:
        return len(self._documents)

    def item(self, position: int) -> Document:
        return self._rewrite(self._documents[position])


def without_boilerplate(documents: Iterable[Document], settings: BoilerplateSettings) -> Callable[[Document], Document]:
    """What takes the repeating lines out of a document. Code, headings and tables stay; none is left empty."""
    counts: Counter[bytes] = Counter()
    total = 0
    for document in documents:
        counts.update({_key(line) for _, _, line in _candidates(document.text)})
        total += 1
    least = max(settings.min_documents, settings.min_share * total)
    repeated = {key for key, count in counts.items() if count >= least}
    return lambda document: _without(document, repeated)


def _without(document: Document, repeated: set[bytes]) -> Document:
    text = document.text
    cuts = [
        Replacement(start, end, "", BOILERPLATE) for start, end, line in _candidates(text) if _key(line) in repeated
    ]
    if not cuts:
        return document
    rewritten = Rewritten(text, document.edits).replace(_joined(cuts))
    if not rewritten.text.strip():
        return document
    return Document(document.id, rewritten.text, document.metadata, document.origin, rewritten.edits)


def _joined(cuts: Iterable[Replacement]) -> Iterator[Replacement]:
    """Lines that follow each other as one cut."""
    waiting: Replacement | None = None
    for cut in cuts:
        if waiting and waiting.end == cut.start:
            waiting = Replacement(waiting.start, cut.end, "", BOILERPLATE)
            continue
        if waiting:
            yield waiting
        waiting = cut
    if waiting:
        yield waiting


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end (with its line feed) and stripped text of every line that may be boilerplate."""
    fenced = False
    for match in _LINE.finditer(text):
        line = match[0]
        stripped = line.strip()
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and _SHORTEST <= len(stripped) <= _LONGEST and not _STRUCTURE.match(stripped):
            yield match.start(), match.end(), stripped


def _key(line: str) -> bytes:
    return hashlib.blake2b(line.casefold().encode("utf-8", "surrogatepass"), digest_size=12).digest()
