"""One loader of each format, kept open from test to test as a build keeps it from file to file."""

from __future__ import annotations

from genaiops.documents import LOADERS, Corpus, Limits, Loader

_OPEN: dict[str, Loader] = {}


def load(suffix: str, content: bytes | str, limits: Limits | None = None) -> Corpus:
    """The documents of a file named `f`; with limits of its own, by a loader of its own."""
    loader = LOADERS[suffix](limits) if limits else _OPEN.setdefault(suffix, LOADERS[suffix](Limits(timeout_s=20)))
    try:
        return loader.load(content.encode() if isinstance(content, str) else content, "f")
    finally:
        if limits:
            getattr(loader, "close", lambda: None)()


def close_loaders() -> None:
    while _OPEN:
        getattr(_OPEN.popitem()[1], "close", lambda: None)()
