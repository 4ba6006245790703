"""One document in, a clean one or the reason why not out; then the corpus as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from genaiops.cleansing.boilerplate import Rewriting, without_boilerplate
from genaiops.cleansing.characters import FLAG_INVISIBLE, invisible, white_space
from genaiops.cleansing.encoding import repairs
from genaiops.cleansing.injections import FLAG, FLAG_HIDDEN, find_injections, hidden_parts
from genaiops.cleansing.language import language_of
from genaiops.cleansing.near_duplicates import Compared, without_duplicates
from genaiops.cleansing.pii import Redactor, redactor_for
from genaiops.cleansing.rewriting import Rewritten
from genaiops.cleansing.secret_scan import find_secrets
from genaiops.cleansing.settings import CleansingSettings
from genaiops.documents import Quarantined
from genaiops.records import Document, Metadata, digest_of

VERSION = 1  # raise it when the same settings would clean a text in another way
_DECIDES = ("ftfy", "phonenumbers", "py3langid")  # packages whose other version may clean in another way
_NAMED = 3  # secrets that a reason names; the rest are counted


class Cleaner:
    """What `documents:` and `cleansing:` of a flow ask for. Made by `cleaner_for`; safe to use from threads."""

    def __init__(self, settings: CleansingSettings, redact: Sequence[str], cache: Path | None) -> None:
        self._settings = settings
        self._cache = cache
        self._redactor: Redactor | None = None
        if redact or settings.pii.engine != "rules":
            self._redactor = redactor_for(redact, settings.pii)
        versions = [metadata.version(name) for name in _DECIDES]
        self._version = digest_of([settings, sorted(set(redact)), VERSION, versions])

    @property
    def version(self) -> str:
        """Digest of all that decides how a document is cleaned: part of every cache key."""
        return self._version

    def clean(self, document: Document) -> Document | Quarantined:
        """The document with its text repaired and redacted and its metadata marked; or why it is refused.

        Offsets of the text map to the text that came in by `edits`. Nothing of what was redacted is kept.
        """
        if not document.text or document.text.isspace():
            return Quarantined(document.id, "is empty", kind="empty")
        rewritten, flags, hidden = self._repaired(Rewritten(document.text, document.edits))
        if not rewritten.text.strip():
            return Quarantined(document.id, "holds only characters that nobody sees", kind="empty")
        if refusal := _refused_for_secrets(document, rewritten.text):
            return refusal
        if self._settings.injections != "off":
            reasons = _suspicions(rewritten.text, hidden, flags)
            if reasons and self._settings.injections == "quarantine":
                return Quarantined(document.id, f"speaks to a model: {reasons}", kind="injection")
        found: Mapping[str, Any] = document.metadata
        if self._redactor is not None:
            numbers: dict[tuple[str, str], int] = {}
            rewritten = rewritten.replace(self._redactor.replacements(rewritten.text, numbers))
            found = {key: _redacted(value, self._redactor, numbers) for key, value in found.items()}
        return replace(
            document, text=rewritten.text, edits=rewritten.edits, metadata=self._marked(found, rewritten.text, flags)
        )

    def _repaired(self, rewritten: Rewritten) -> tuple[Rewritten, set[str], str]:
        """The text with encoding, invisible characters and white space put right, flags, and text that was hidden."""
        if self._settings.encoding:
            rewritten = rewritten.replace(repairs(rewritten.text))
        flags: set[str] = set()
        hidden = ""
        if self._settings.invisible != "off":
            characters = invisible(rewritten.text)
            flags.update(characters.flags)
            hidden = characters.hidden
            if self._settings.invisible == "normalise":
                rewritten = rewritten.replace(characters.replacements)
            elif characters.replacements:
                flags.add(FLAG_INVISIBLE)
        if self._settings.whitespace:
            rewritten = rewritten.replace(white_space(rewritten.text))
        return rewritten, flags, hidden

    def _marked(self, found: Metadata, text: str, flags: set[str]) -> Metadata:
        marked = dict(found)
        if flags:
            given = found.get("flags")
            marked["flags"] = sorted(flags.union(map(str, given) if isinstance(given, (list, tuple)) else ()))
        if self._settings.language and not found.get("language") and (language := language_of(text)):
            marked["language"] = language
        return marked

    def compare(self, documents: Sequence[Document]) -> Compared:
        """What can be told only over the whole corpus: repeated lines and documents that say the same."""
        if self._settings.boilerplate is not None:
            documents = Rewriting(documents, without_boilerplate(documents, self._settings.boilerplate))
        return without_duplicates(
            documents,
            drop=self._settings.duplicates,
            threshold=self._settings.near_duplicate,
            cache=self._cache,
        )


def cleaner_for(settings: CleansingSettings, redact: Sequence[str] = (), *, cache: Path | None = None) -> Cleaner:
    """The cleaner of these settings. `redact` names PII kinds; `cache` is an SQLite file for signatures of texts.

    Raises ConfigurationError for a kind that nobody knows, and for an engine that is not installed.
    """
    return Cleaner(settings, redact, cache)


def _refused_for_secrets(document: Document, text: str) -> Quarantined | None:
    """The refusal of a document that holds a secret. It says where, never what."""
    found = [f"{secret.kind} in line {secret.line}" for secret in find_secrets(text)]
    found += (
        f"{secret.kind} in metadata {name!r}"
        for name, value in _texts(document.metadata)
        for secret in find_secrets(value)
    )
    if not found:
        return None
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    reason = f"holds a secret: {', '.join(found[:_NAMED])}{more}; take it out and revoke it"
    return Quarantined(document.id, reason, kind="secret")


def _suspicions(text: str, hidden: str, flags: set[str]) -> str:
    """Adds to `flags` and tells why, "" for nothing."""
    reasons = [f"{item.kind} in line {item.line}" for item in find_injections(text)]
    if hidden and find_injections(hidden):
        reasons.append("in characters that nobody sees")
    if reasons:
        flags.add(FLAG)
    if parts := hidden_parts(text):
        flags.add(FLAG_HIDDEN)
        reasons += (f"in a hidden part in line {text.count(chr(10), 0, start) + 1}" for start, _ in parts)
    return ", ".join(reasons[:_NAMED])


def _texts(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    """Every text in metadata with the name it stands under."""
    if isinstance(value, str):
        # The name goes along, so that `password: …` is seen as one would write it.
        yield name, f"{name}: {value}"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, name)


def _redacted(value: Any, redactor: Redactor, numbers: dict[tuple[str, str], int]) -> Any:
    """Metadata with every text redacted as the document's own text is."""
    if isinstance(value, str):
        return Rewritten(value).replace(redactor.replacements(value, numbers)).text
    if isinstance(value, Mapping):
        return {key: _redacted(item, redactor, numbers) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item, redactor, numbers) for item in value]
    return value
