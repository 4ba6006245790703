"""What is to be erased, and how to recognise it: by id, by passages of its text, and by vectors."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from genaiops.errors import IntegrityError
from genaiops.files import fsync_folder, write_durably
from genaiops.flow.tombstones import words_of
from genaiops.project import Project
from genaiops.records import as_json, canonical_json

if TYPE_CHECKING:
    from genaiops.embedding import Vectors

JOURNAL_FILE = "forgetting.json"
PASSAGE = 8  # words; a run of so many is seldom shared by texts that do not quote each other
FEWEST = 4  # words of a shorter text that are still told from chance
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Erasure:
    """One document to erase, in every version that any snapshot holds, and under every id with the same words.

    It is the journal too: from the first change to the receipt it lies in the state folder, readable to the owner
    only, so that an erasure that was killed can be finished although its text is nowhere else any more.

    `texts` maps each id to its versions; `flows` are those whose snapshots held it; `staying` are the passages of 8
    words that it shares with documents that stay, which are no evidence of it. `vectors` maps an embedder's
    fingerprint to the unit vectors of its chunks.
    """

    flow: str
    document: str
    texts: Mapping[str, tuple[str, ...]]
    flows: tuple[str, ...]
    staying: frozenset[str] = frozenset()
    vectors: Mapping[str, Vectors] = field(default_factory=dict)

    def is_of(self, document_id: str, text: str) -> bool:
        """Whether a passage with that document id and text is of an erased document."""
        versions = self.texts.get(document_id)
        if versions is not None and (not text.strip() or any(text in version for version in versions)):
            return True
        return self.is_quoted_in(text)

    def is_quoted_in(self, text: str) -> bool:
        """Whether a text holds a passage of it that no document that stays holds."""
        return not self.passages.isdisjoint(passages_of(text))

    @cached_property
    def passages(self) -> frozenset[str]:
        """Its runs of 8 words, without those that stay: compared without regard to white space and capitals."""
        found = {p for versions in self.texts.values() for text in versions for p in passages_of(text)}
        return frozenset(found - self.staying)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of each version: a document with the same is the same document."""
        return frozenset(words_of(text) for versions in self.texts.values() for text in versions) - {""}

    def samples(self, most: int = 24) -> tuple[str, ...]:
        """Passages exactly as written, spread over each version, to look for byte by byte."""
        found: list[str] = []
        for versions in self.texts.values():
            for text in versions:
                words = [word for word in _WORD.finditer(text) if _bare(word[0])]  # a lone mark is no word
                runs = [text[a.start() : b.end()] for a, b in zip(words, words[PASSAGE - 1 :], strict=False)]
                own = [run for run in runs if _plain(run) not in self.staying]
                step = max(1, len(own) // most)
                found += own[::step][:most]
        return tuple(dict.fromkeys(found))

    def save(self, project: Project) -> None:
        vectors = {name: [list(v.shape), base64.b64encode(v.tobytes()).decode()] for name, v in self.vectors.items()}
        data = {
            "flow": self.flow,
            "document": self.document,
            "texts": as_json(self.texts),
            "flows": list(self.flows),
            "staying": sorted(self.staying),
            "vectors": vectors,
        }
        path = project.home / JOURNAL_FILE
        write_durably(path, canonical_json(data), mode=0o600)


def unfinished(project: Project) -> Erasure | None:
    """The erasure that was begun and not finished. IntegrityError when its journal cannot be read."""
    import numpy as np

    path = project.home / JOURNAL_FILE
    try:
        content = path.read_bytes()
        if content.startswith(b"\0"):  # its receipt was written, and whoever overwrote it was killed
            close_journal(project)
            return None
        data = json.loads(content)
        vectors = {
            name: np.frombuffer(base64.b64decode(packed), dtype=np.float32).reshape(shape)
            for name, (shape, packed) in data["vectors"].items()
        }
        texts = {name: tuple(versions) for name, versions in data["texts"].items()}
        return Erasure(data["flow"], data["document"], texts, tuple(data["flows"]), frozenset(data["staying"]), vectors)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"an erasure was begun and its journal cannot be read ({type(error).__name__})",
            where=path,
            remedy="move the journal away and run genaiops forget again for the same document",
        ) from None


def close_journal(project: Project) -> None:
    """Overwrite and remove the journal: it holds what was erased."""
    path = project.home / JOURNAL_FILE
    with path.open("r+b") as stream:
        stream.write(b"\0" * path.stat().st_size)
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    fsync_folder(path.parent)


def passages_of(text: str) -> Iterable[str]:
    """Every run of 8 words, in one form; of a shorter text, the text itself if it has at least 4 words."""
    words = [_bare(word) for word in text.casefold().split()]
    words = [word for word in words if word]
    if len(words) < PASSAGE:
        return [" ".join(words)] if len(words) >= FEWEST else []
    return (" ".join(words[at : at + PASSAGE]) for at in range(len(words) - PASSAGE + 1))


def _plain(run: str) -> str:
    return next(iter(passages_of(run)), "")


def _bare(word: str) -> str:
    return word.strip("#*_`>|[](){}\"'.,;:!?-–—“”‘’")


def encodings(text: str) -> Sequence[bytes]:
    """The byte strings under which a text can lie in our files: plain, in JSON of both kinds, in HTML."""
    import html

    forms = [text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], html.escape(text)]
    return tuple(dict.fromkeys(form.encode("utf-8", "surrogatepass") for form in forms))
