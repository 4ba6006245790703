"""An index that a process has open is held, so that a clean-up leaves it alone."""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genaiops.errors import NotBuilt
from genaiops.indexing.manifest import MANIFEST_FILE, read_manifest


class Held:
    """A shared lock on a snapshot, from now until it is let go or the process ends. No file is written."""

    def __init__(self, folder: Path) -> None:
        """Raises NotBuilt when there is no snapshot (any more), IntegrityError for one without a manifest."""
        path = folder / MANIFEST_FILE
        try:
            self._handle = os.open(path, os.O_RDONLY)
        except OSError:
            read_manifest(folder)  # says what is wrong
            raise _gone(folder) from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH)
            # Whoever removed it while we waited renamed it first: what we hold is then no longer what is there.
            if os.fstat(self._handle).st_ino != path.stat().st_ino:
                raise _gone(folder)
        except BaseException as error:
            os.close(self._handle)
            if isinstance(error, FileNotFoundError):
                raise _gone(folder) from None
            raise

    def until_unused(self, index: object) -> None:
        """Let go when `index` is garbage."""
        weakref.finalize(index, os.close, self._handle)

    def let_go(self) -> None:
        os.close(self._handle)


@contextmanager
def unless_held(folder: Path) -> Iterator[bool]:
    """Whether nobody has the snapshot open; while the block runs, nobody opens it."""
    try:
        handle = os.open(folder / MANIFEST_FILE, os.O_RDONLY)
    except OSError:  # no manifest, so nobody could open it
        yield True
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(handle)


def _gone(folder: Path) -> NotBuilt:
    return NotBuilt("there is no index here", where=folder, remedy="build it: genaiops build FLOW")
