"""Documents that were erased and may not come back. Kept as keyed hashes: the file tells nobody what was in them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from genaiops.errors import IntegrityError
from genaiops.files import locked, write_durably
from genaiops.project import Project
from genaiops.records import Document, canonical_json

TOMBSTONES_FILE, KEY_FILE = "tombstones.jsonl", "tombstones.key"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erased document: keyed hashes (HMAC-SHA256, hex) of its id and of the words of its text."""

    id: str
    text: str
    at: str


def blocked(project: Project) -> Callable[[Document], bool]:
    """Whether a document was erased: by its id, or by its words under any other id.

    Reads the file once; the answer is for one build. Raises IntegrityError when there are tombstones that cannot
    be read, since a build must not bring back what was erased.
    """
    stones = read_tombstones(project)
    if not stones:
        return lambda document: False
    key = _key(project)
    ids, texts = {stone.id for stone in stones}, {stone.text for stone in stones if stone.text}
    return lambda document: _hash(key, "id", document.id) in ids or _hash_of_text(key, document.text) in texts


def read_tombstones(project: Project) -> tuple[Tombstone, ...]:
    """All of them, oldest first. IntegrityError for a damaged file or a missing key."""
    path = project.home / TOMBSTONES_FILE
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        stones = tuple(Tombstone(**json.loads(line)) for line in lines if line)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise IntegrityError(
            f"the list of erased documents cannot be read ({error})",
            where=path,
            remedy="restore it from a copy; nothing is built without it",
        ) from None
    if stones:
        _key(project)
    return stones


def bury(project: Project, documents: Iterable[Document]) -> int:
    """Block these documents; returns how many tombstones are new. One durable replacement of the file."""
    with locked(project.home / f"{TOMBSTONES_FILE}.lock"):
        key = _key(project, make=True)
        before = read_tombstones(project)
        known = {(stone.id, stone.text) for stone in before}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        added = []
        for document in documents:
            stone = Tombstone(_hash(key, "id", document.id), _hash_of_text(key, document.text), now)
            if (stone.id, stone.text) not in known:
                known.add((stone.id, stone.text))
                added.append(stone)
        if added:
            _write(project, (*before, *added))
    return len(added)


def unbury(project: Project, document_id: str) -> int:
    """Lift the tombstones of a document id; returns how many there were.

    Its texts are no longer blocked either. Other ids under which they were erased stay blocked, by their ids.
    """
    with locked(project.home / f"{TOMBSTONES_FILE}.lock"):
        before = read_tombstones(project)
        if not before:
            return 0
        lifted = _hash(_key(project), "id", document_id)
        texts = {stone.text for stone in before if stone.id == lifted}
        kept = tuple(
            replace(stone, text="") if stone.text in texts else stone for stone in before if stone.id != lifted
        )
        if len(kept) < len(before):
            _write(project, kept)
    return len(before) - len(kept)


def pseudonym(project: Project, text: str) -> str:
    """The name under which receipts speak of a document: a keyed hash (16 hex digits), the same at every erasure."""
    return _hash(_key(project, make=True), "id", text)[:16]


def known_pseudonym(project: Project, text: str) -> str:
    """As `pseudonym`, and "" where nothing was erased yet: nothing is written."""
    return pseudonym(project, text) if (project.home / KEY_FILE).is_file() else ""


def tombstones_of(project: Project, *, document: str = "", text: str = "") -> tuple[Tombstone, ...]:
    """Those that keep out a document id, or the words of a text; oldest first. Raises as `read_tombstones`."""
    stones = read_tombstones(project)
    if not stones:
        return ()
    key = _key(project)
    name, words = document and _hash(key, "id", document), text and _hash_of_text(key, text)
    return tuple(stone for stone in stones if (name and stone.id == name) or (words and stone.text == words))


def words_of(text: str) -> str:
    """A text's words in one form: two texts with the same are the same document."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _write(project: Project, stones: Iterable[Tombstone]) -> None:
    write_durably(project.home / TOMBSTONES_FILE, "".join(canonical_json(stone) + "\n" for stone in stones))


def _key(project: Project, *, make: bool = False) -> bytes:
    path = project.home / KEY_FILE
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) == _KEY_BYTES:
        return key
    if not make or (project.home / TOMBSTONES_FILE).exists() or key:
        raise IntegrityError(
            "the key of the erased documents is missing or damaged",
            where=path,
            remedy="restore it from a copy; without it nobody can tell which documents were erased",
        )
    _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """Only the owner may read it: with the key, guesses of a document's id can be checked."""
    write_durably(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
    os.chmod(path, 0o600)


def _hash(key: bytes, what: str, value: str) -> str:
    return hmac.new(key, f"{what}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _hash_of_text(key: bytes, text: str) -> str:
    """Of its words alone, so that other spaces, headings' marks or capitals do not bring it back. "" without words."""
    words = words_of(text)
    return _hash(key, "text", words) if words else ""
