"""A flow's golden set as something to work on: its desk, its lock file, its drafts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from genaiops.errors import NotFound
from genaiops.files import locked, storing
from genaiops.flow import Flow
from genaiops.flow.building import read_corpus
from genaiops.golden_sets import GoldenSet, Places
from genaiops.golden_sets.desk import Desk
from genaiops.project import Project
from genaiops.promotion.actor import check_actor

DRAFTED_FILE = "golden_drafted.log"  # in the state folder: digests of what a model was asked about


def desk_of(flow: Flow) -> Desk:
    """The flow's golden set with its proposals, over the documents as a build would read them now."""
    corpus = read_corpus(flow.project, flow.settings, flow.folder)
    texts = {document.id: document.text for document in corpus.documents}
    places = Places.of(flow.golden_set_path)
    return Desk(places, texts, lambda: writing(flow.project, places.golden.parent))


@contextmanager
def writing(project: Project, folder: Path) -> Iterator[None]:
    """Alone among those who write the golden sets of a folder, from whatever state folder they work.

    A document that is being erased must not come back by a proposal.
    """
    with (
        locked(project.lock, shared=True, what="cleans up or erases"),
        locked(project.home / "locks" / "golden", what="writes a golden set"),
        alone_in(folder),
    ):
        yield


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder of a golden set itself: a lock file in it would be one more file to commit or to ignore."""
    with ExitStack() as held:
        with storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # some network file systems lock no folders; the state folder's lock is left then
            held.enter_context(locked(folder, what="writes a golden set"))
        yield


def lock_cases(flow: Flow, ids: tuple[str, ...] = (), *, actor: str = "") -> tuple[tuple[str, ...], Path]:
    """Remember what the documents say around the quotes of all cases, or of those with these ids; returns them.

    Raises NotFound for an id of no case.
    """
    desk = desk_of(flow)
    golden = GoldenSet.load(flow.golden_set_path)
    known = {case.id for case in golden}
    for name in ids:
        if name not in known:
            raise NotFound(f"no case has the id {name!r}", where=desk.places.golden)
    cases = [case for case in golden if not ids or case.id in ids]
    desk.lock(cases, by=check_actor(actor))
    return tuple(case.id for case in cases), desk.places.lock
