"""Plain text and Markdown, whose front matter becomes metadata."""

from __future__ import annotations

import re
from typing import Any

import yaml

from genaiops.documents.loading import Corpus, EmptyDocument, TextFormat, decoded, plain
from genaiops.errors import DocumentError
from genaiops.records import Document, Metadata

# libyaml, where PyYAML has it, reads front matter nine times as fast.
_YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"[\w.\"'-]+[ \t]*:(?:[ \t]|$)", re.MULTILINE)


class TextLoader(TextFormat):
    """A text file, as it stands."""

    name = "text"

    def load(self, content: bytes, document_id: str) -> Corpus:
        return Corpus((Document(document_id, decoded(content, document_id)),))


class MarkdownLoader(TextFormat):
    """A Markdown file: YAML front matter becomes metadata, the text is the rest, exactly."""

    name = "markdown"

    def load(self, content: bytes, document_id: str) -> Corpus:
        text = decoded(content, document_id)
        metadata: Metadata = {}
        if opening := _OPENING.match(text):
            metadata, start = _front_matter(text, opening.end(), document_id)
            text = text[start:]
            if not text or text.isspace():
                raise EmptyDocument("is empty but for its front matter", where=document_id)
        return Corpus((Document(document_id, text, metadata),))


def _front_matter(text: str, start: int, document_id: str) -> tuple[Metadata, int]:
    """The metadata, and where the text begins. A file that only opens with a rule has none."""
    closing = _CLOSING.search(text, start)
    if closing is None:
        if _KEY.match(text, start):
            raise DocumentError("front matter has no closing line '---'", where=document_id, line=1)
        return {}, 0
    try:
        data = _parsed(text[start : closing.start()])
    except yaml.MarkedYAMLError as error:
        # Lines count from 0 in YAML, and the front matter begins on the second line of the file.
        line = error.problem_mark.line + 2 if error.problem_mark else None
        raise DocumentError(f"front matter is not valid YAML: {error.problem}", where=document_id, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"front matter is not valid YAML: {error}", where=document_id, line=1) from None
    return data, min(closing.end() + 1, len(text))


def _parsed(source: str) -> Metadata:
    loader = _YamlLoader(source)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise yaml.MarkedYAMLError(problem="expected keys and values", problem_mark=node.start_mark)
        _check(node)
        data: Metadata = plain(loader.construct_document(node))
        return data
    finally:
        loader.dispose()


def _check(root: yaml.Node) -> None:
    """Refuse a key given twice, and aliases: documents are not ours, and ten of those can unfold to gigabytes."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            raise yaml.MarkedYAMLError(problem="aliases are not read here", problem_mark=node.start_mark)
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if str(key.value) in keys:
                    raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
                keys.add(str(key.value))
                waiting += (key, value)
