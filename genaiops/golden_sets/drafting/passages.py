"""What templates look at, and what they make of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from genaiops.golden_sets.sections import Section, sections
from genaiops.sentences import SentenceKind

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![\w*`])([*_])(?=\S)([^*_`\n]{1,80})(?<=\S)\1(?![\w*`])")
_CITED = re.compile(r"\s*\[\^?\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of a document. `title` is the document's first heading, or a name made of its id."""

    document: str
    title: str
    text: str
    section: Section

    def sentences(self, *kinds: SentenceKind) -> Iterator[str]:
        """Its own sentences of these kinds, exactly as written."""
        for sentence in self.section.sentences:
            if sentence.kind in kinds:
                yield self.text[sentence.start : sentence.end]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a template makes: a question, its answer, and the quotes that prove it, in one document."""

    template: str
    document: str
    heading: str
    question: str
    reference: str
    quotes: tuple[str, ...]


def passages(document: str, text: str) -> list[Passage]:
    """The sections of a document."""
    parts = sections(text)
    title = next((part.title for part in parts if part.title), "")
    title = title or document.rpartition("/")[2].rpartition(".")[0].replace("-", " ").replace("_", " ")
    return [Passage(document, title, text, part) for part in parts]


def plain(text: str) -> str:
    """Markdown as somebody would say it: link texts for links, no marks of emphasis, no footnote marks, one line."""
    bare = _ITALIC.sub(r"\2", _BOLD.sub(r"\2", _LINK.sub(r"\1", text)))
    return " ".join(_CITED.sub("", bare).split())


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def uncapitalised(text: str, document: str) -> str:
    """Without the capital that begins a sentence, unless it is a name's, which the document writes elsewhere too."""
    first = text.split(" ", 1)[0]
    small = first[:1].lower() + first[1:]
    if not first.isalpha() or first[1:] != first[1:].lower():
        return text
    common = small in ("a", "an", "the") or small.endswith("ing") or re.search(rf"\b{small}\b", document)
    is_name = not common and re.search(rf"[a-z,;:] {first}\b", document)
    return text if is_name else small + text[len(first) :]
