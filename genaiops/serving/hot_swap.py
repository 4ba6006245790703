"""A promoted release is noticed, loaded beside the one that serves, and swapped in without dropping a request."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from genaiops.errors import GenaiopsError
from genaiops.serving.servable import Servable, Snapshot

_log = logging.getLogger(__name__)
_FIRST_WAIT_S, _MAX_WAIT_S = 2.0, 60.0
_SHOWN = 300  # characters of a reason
_FOLDERS = re.compile(r"(?<![\w.@:/\\-])(?:[A-Za-z]:)?[/\\](?:[^/\\\s:'\"]+[/\\])*")  # of absolute paths


@dataclass(frozen=True, slots=True)
class _Failure:
    digest: str
    reason: str
    wait_s: float
    again_at: float  # time.monotonic()


class ReleaseWatcher:
    """Keeps the current releases loaded. `Models` for the service; a context manager around its thread.

    `current` gives {model id: release digest} as the registry has it, `load` turns a digest into something
    that answers. Every `interval_s` seconds the pointers are read; a new release is loaded completely before
    the reference to it is swapped in one assignment, so a request sees the old or the new, never a mixture.

    What fails to load leaves the last good release serving, and shows in `snapshot().problems`. It is tried
    again after 2 seconds, then with doubling waits of at most a minute, and at once when the pointer moves.
    """

    def __init__(
        self,
        load: Callable[[str], Servable],
        current: Callable[[], Mapping[str, str]],
        *,
        interval_s: float = 1.0,
    ) -> None:
        self._load, self._current, self._interval_s = load, current, interval_s
        self._snapshot = Snapshot({}, {"registry": "not read yet"})
        self._failures: dict[str, _Failure] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def snapshot(self) -> Snapshot:
        """What is served now."""
        return self._snapshot

    def start(self) -> Self:
        """Begin to watch in the background; the first load happens there too, so this returns at once."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="genaiops-releases", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the watch. What is loaded goes on serving."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)  # a load that hangs must not hold up the end of the process
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def poll(self) -> None:
        """Look once, load what is new, swap. The background thread does nothing else."""
        before = self._snapshot
        try:
            wanted = dict(self._current())
        except Exception as error:
            _log.warning("the registry cannot be read: %s", error)
            self._publish(before.models, {**before.problems, "registry": _reason(error)})
            return
        models: dict[str, Servable] = {}
        problems: dict[str, str] = {}
        loaded = {servable.release: servable for servable in before.models.values()}
        for model_id, digest in wanted.items():
            if digest not in loaded and (new := self._loaded(model_id, digest)) is not None:
                loaded[digest] = new
            if digest in loaded:
                self._failures.pop(model_id, None)
                models[model_id] = loaded[digest]
                continue
            problems[model_id] = self._failures[model_id].reason
            if model_id in before.models:
                models[model_id] = before.models[model_id]
        self._publish(models, problems)

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.poll()
            self._stop.wait(self._interval_s)

    def _publish(self, models: Mapping[str, Servable], problems: Mapping[str, str]) -> None:
        before = self._snapshot
        releases = {model_id: servable.release for model_id, servable in models.items()}
        if releases != {model_id: servable.release for model_id, servable in before.models.items()}:
            _log.info("serving %s", ", ".join(f"{m} from release {r[:12]}" for m, r in releases.items()) or "nothing")
            self._snapshot = Snapshot(models, problems)
        elif problems != before.problems:
            self._snapshot = Snapshot(before.models, problems, before.at)

    def _loaded(self, model_id: str, digest: str) -> Servable | None:
        last = self._failures.get(model_id)
        is_same = last is not None and last.digest == digest
        if last is not None and is_same and time.monotonic() < last.again_at:
            return None
        try:
            servable = self._load(digest)
            if servable.release != digest:
                raise ValueError(f"asked for release {digest[:12]}, got {servable.release[:12]}")
            return servable
        except Exception as error:
            wait = min(last.wait_s * 2, _MAX_WAIT_S) if last is not None and is_same else _FIRST_WAIT_S
            reason = f"release {digest[:12]} cannot be loaded: {_reason(error)}"
            _log.warning("%s: %s; trying again in %.0f s", model_id, reason, wait, exc_info=not _is_ours(error))
            self._failures[model_id] = _Failure(digest, reason, wait, time.monotonic() + wait)
            return None


def _is_ours(error: Exception) -> bool:
    return isinstance(error, GenaiopsError)


def _reason(error: Exception) -> str:
    """One line for everybody who may read /readyz: no folders of this machine, the log has the rest."""
    what = error.what if isinstance(error, GenaiopsError) else f"{type(error).__name__}: {error}"
    return " ".join(_FOLDERS.sub("", what).split())[:_SHOWN]
