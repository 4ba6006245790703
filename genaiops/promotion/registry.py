"""Which release each environment serves: pointers moved by compare-and-swap, with history and an audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError, Conflict, GateRefused, NotFound
from genaiops.promotion import audit
from genaiops.promotion.actor import check_actor
from genaiops.promotion.audit import AuditReport
from genaiops.promotion.database import Database, tables, utc_now
from genaiops.promotion.environments import Event, Move, Pointer, Recorded
from genaiops.promotion.reissuing import all_names, replacements
from genaiops.promotion.release import SHORT, Release, find_release, load_release, refuse_unless_passed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from genaiops.project import Project


class Registry:
    """The environments of one project, in the order in which a release passes them.

    `url` is a SQLAlchemy URL; opening a registry connects to nothing and creates nothing.
    Beside the errors named at each method, all of them raise RegistryUnavailable (exit
    code 3: locked, unreachable, disk full) and IntegrityError (damaged); then nothing
    was changed.
    """

    def __init__(self, url: str, environments: Sequence[str], releases_folder: Path) -> None:
        self.environments = tuple(environments)
        self.releases_folder = releases_folder
        self._database = Database(url)

    @classmethod
    def of(cls, project: Project) -> Registry:
        """The registry that `genaiops.yaml` names."""
        return cls(project.registry_url, project.settings.environments, project.releases)

    # --- moving ---------------------------------------------------------------

    def record_release(self, release: Release, *, actor: str = "") -> str:
        """Save a release's file, then make it known; returns its digest. Recording it again changes nothing."""
        actor = check_actor(actor)
        refuse_unless_passed(release.evidence.decision, where=f"release {release.digest[:SHORT]}")
        release.save(self.releases_folder)
        with self._database.writing() as connection:
            _record(connection, release, actor)
        return release.digest

    def promote(
        self, release: str | Release, *, to: str, actor: str = "", expected_generation: int | None = None
    ) -> Move:
        """Point `to` at a release (or a unique prefix of its digest, from 6 digits).

        With `expected_generation` the move happens only if nobody moved the pointer since
        that generation (0: never set). A release that is already there stays; the Move says so.

        Raises GateRefused when its verdict is not a pass or the environment before `to`
        never held it, Conflict for a lost race, NotFound, IntegrityError for a damaged
        file, ConfigurationError for an unknown environment.
        """
        self._check(to)
        actor = check_actor(actor)
        digest = release.digest if isinstance(release, Release) else self._found(release)
        found = load_release(self.releases_folder, digest)
        refuse_unless_passed(found.evidence.decision, where=f"release {digest[:SHORT]}")
        with self._database.writing() as connection:
            current = _pointer(connection, to, found.flow)
            _expect(current, expected_generation)
            self._require_step_before(connection, to, found.flow, digest)
            if current.release == digest:
                return Move(to, found.flow, digest, current.release, current.generation, changed=False)
            _record(connection, found, actor)
            return _move(connection, current, digest, action="promote", actor=actor)

    def rollback(
        self, environment: str, flow: str | None = None, *, actor: str = "", expected_generation: int | None = None
    ) -> Move:
        """Go back to the release that `environment` served before this one.

        History is read as a stack: a promotion puts a release on top, a rollback takes
        one off. So two rollbacks go two back, and a promotion after a rollback is put on
        what was rolled back to. `flow` may be left out while the environment serves one flow.

        Raises NotFound when nothing was served before, Conflict for a lost race,
        IntegrityError when the file of that earlier release is damaged.
        """
        self._check(environment)
        actor = check_actor(actor)
        with self._database.writing() as connection:
            current = _chosen(environment, _pointers(connection, environment), flow)
            _expect(current, expected_generation)
            stack = _stack(_events(connection, environment, current.flow), replacements(connection))
            if len(stack) < 2:
                raise NotFound(
                    f"{environment} served nothing of {current.flow} before {str(current.release)[:SHORT]}",
                    remedy=f"to serve another release: genaiops promote RELEASE --to {environment}",
                )
            load_release(self.releases_folder, stack[-2])
            return _move(connection, current, stack[-2], action="rollback", actor=actor)

    def reissue(self, releases: Mapping[str, Release], *, actor: str = "") -> list[Move]:
        """Put releases in the place of others (full digests), wherever these are or were served.

        For erasing a document: the new ones serve the same without it. Their files are saved, the log tells of each,
        and environments that serve an old one move, all in one transaction; what was done before is not done again.
        The files of the old releases are the caller's to remove, afterwards.
        """
        actor = check_actor(actor)
        for release in releases.values():
            release.save(self.releases_folder)
        moves: list[Move] = []
        with self._database.writing() as connection:
            known = replacements(connection)
            for before, release in releases.items():
                _record(connection, release, actor)
                after = release.digest
                if known.get(before) != after:
                    payload = {"before": before, "after": after, "flow": release.flow}
                    audit.append(connection, at=utc_now(), actor=actor, action=audit.REISSUE, payload=payload)
                for pointer in _pointers(connection):
                    if pointer.release == before and pointer.flow == release.flow:
                        moves.append(_move(connection, pointer, after, action=audit.REPLACE, actor=actor))
        return moves

    def note(self, action: str, payload: Mapping[str, str], *, actor: str = "") -> None:
        """Tell the audit log of something that moves nothing."""
        actor = check_actor(actor)
        with self._database.writing() as connection:
            audit.append(connection, at=utc_now(), actor=actor, action=action, payload=payload)

    def replaced(self) -> Mapping[str, str]:
        """Release → the one that stands in its place since a document was erased."""
        with self._database.reading() as connection:
            return {} if connection is None else replacements(connection)

    def _found(self, prefix: str) -> str:
        """The digest of a release's file; NotFound names the release that was put in its place."""
        try:
            return find_release(self.releases_folder, prefix)
        except NotFound:
            new = next((new for old, new in self.replaced().items() if old.startswith(prefix)), None)
            if new is None:
                raise
            raise NotFound(
                f"release {prefix[:SHORT]} was re-issued as {new[:SHORT]} when a document was erased",
                remedy=f"use {new[:SHORT]}",
            ) from None

    # --- reading --------------------------------------------------------------

    def status(self) -> list[Pointer]:
        """The pointers of every environment, in order; one without release for an environment that serves nothing."""
        with self._database.reading() as connection:
            pointers = [] if connection is None else _pointers(connection)
        found = {name: [p for p in pointers if p.environment == name] for name in self.environments}
        return [pointer for name in self.environments for pointer in found[name] or [Pointer(name)]]

    def pointer(self, environment: str, flow: str | None = None) -> Pointer:
        """What one environment serves. NotFound when nothing; ConfigurationError when `flow` is needed to choose."""
        self._check(environment)
        with self._database.reading() as connection:
            return _chosen(environment, [] if connection is None else _pointers(connection, environment), flow)

    def champion(self, environment: str, flow: str) -> Release | None:
        """The release an environment serves of a flow, loaded and verified; None when it serves none."""
        self._check(environment)
        with self._database.reading() as connection:
            release = None if connection is None else _pointer(connection, environment, flow).release
        return None if release is None else load_release(self.releases_folder, release)

    def history(self, environment: str, flow: str | None = None) -> list[Event]:
        """Every move of an environment, oldest first."""
        self._check(environment)
        with self._database.reading() as connection:
            return [] if connection is None else _events(connection, environment, flow)

    def releases(self) -> list[Recorded]:
        """Every release this registry knows, oldest first."""
        from sqlalchemy import select

        table = tables().releases
        with self._database.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(select(table).order_by(table.c.sequence)).mappings()
            return [Recorded(**row) for row in rows]

    def verify_audit(self) -> AuditReport:
        """Check the audit log and all that should agree with it; never raises for a log that is wrong."""
        with self._database.reading() as connection:
            return AuditReport(0, audit.GENESIS, None) if connection is None else audit.verify(connection)

    # --- rules ----------------------------------------------------------------

    def _check(self, environment: str) -> None:
        if environment not in self.environments:
            raise ConfigurationError(
                f"no environment {environment[:80]!r}; this project has {', '.join(self.environments)}"
            )

    def _require_step_before(self, connection: Connection, to: str, flow: str, digest: str) -> None:
        missing = None
        for before in reversed(self.environments[: self.environments.index(to)]):
            if _held(connection, before, flow, digest):
                break
            missing = before  # the earliest step that can be made now comes last
        if missing is None:
            return
        before = self.environments[self.environments.index(to) - 1]
        raise GateRefused(
            f"release {digest[:SHORT]} was never in {before}, which comes before {to}",
            remedy=f"run: genaiops promote {digest[:SHORT]} --to {missing}",
        )


def _expect(current: Pointer, generation: int | None) -> None:
    if generation is not None and generation != current.generation:
        raise Conflict(
            f"{current.environment} is at generation {current.generation}, not {generation}: somebody else moved it",
            remedy="run: genaiops status, then decide again",
        )


def _chosen(environment: str, pointers: list[Pointer], flow: str | None) -> Pointer:
    found = [pointer for pointer in pointers if flow is None or pointer.flow == flow]
    if not found:
        what = f" of {flow}" if flow else ""
        raise NotFound(
            f"{environment} serves nothing{what}", remedy=f"run: genaiops promote RELEASE --to {environment}"
        )
    if len(found) > 1:
        names = ", ".join(pointer.flow for pointer in found)
        raise ConfigurationError(f"{environment} serves several flows: {names}", remedy="name one of them")
    return found[0]


def _stack(events: list[Event], replaced: Mapping[str, str]) -> list[str]:
    """The releases under the current one, which is last; each as what stands in its place now."""
    stack: list[str] = []
    for event in events:
        if event.action == "promote":
            stack.append(event.release)
        elif event.action == "rollback":
            del stack[-1:]
    return [replaced.get(release, release) for release in stack]


def _pointers(connection: Connection, environment: str | None = None) -> list[Pointer]:
    from sqlalchemy import select

    table = tables().pointers
    query = select(table).order_by(table.c.environment, table.c.flow)
    if environment is not None:
        query = query.where(table.c.environment == environment)
    return [Pointer(**row) for row in connection.execute(query).mappings()]


def _pointer(connection: Connection, environment: str, flow: str) -> Pointer:
    found = [pointer for pointer in _pointers(connection, environment) if pointer.flow == flow]
    return found[0] if found else Pointer(environment, flow)


def _events(connection: Connection, environment: str, flow: str | None) -> list[Event]:
    from sqlalchemy import select

    table = tables().history
    query = select(table).where(table.c.environment == environment).order_by(table.c.sequence)
    if flow is not None:
        query = query.where(table.c.flow == flow)
    return [Event(**row) for row in connection.execute(query).mappings()]


def _held(connection: Connection, environment: str, flow: str, release: str) -> bool:
    from sqlalchemy import select

    columns = tables().history.c
    names = list(all_names(replacements(connection), release))
    same = (columns.environment == environment, columns.flow == flow, columns.release.in_(names))
    return connection.execute(select(columns.sequence).where(*same).limit(1)).first() is not None


def _record(connection: Connection, release: Release, actor: str) -> None:
    from sqlalchemy import select

    table = tables().releases
    digest = release.digest
    if connection.execute(select(table.c.digest).where(table.c.digest == digest)).first():
        return
    at, payload = utc_now(), {"digest": digest, "flow": release.flow}
    sequence = audit.append(connection, at=at, actor=actor, action="release", payload=payload)
    connection.execute(table.insert(), [{**payload, "sequence": sequence, "created_at": at, "actor": actor}])


def _move(connection: Connection, current: Pointer, release: str, *, action: str, actor: str) -> Move:
    """Pointer, history and audit entry, in the caller's transaction."""
    t, at = tables(), utc_now()
    key = {"environment": current.environment, "flow": current.flow}
    changes = {"release": release, "generation": current.generation + 1}
    row: dict[str, Any] = {**changes, "since": at, "actor": actor}
    if current.generation:
        same = t.pointers.update().where(
            t.pointers.c.environment == current.environment,
            t.pointers.c.flow == current.flow,
            t.pointers.c.generation == current.generation,
        )
        if connection.execute(same.values(**row)).rowcount != 1:
            # Only where a database ignores the write lock; a first move meets the primary key instead.
            raise Conflict(f"{current.environment} was moved by somebody else", remedy="run: genaiops status")
    else:
        connection.execute(t.pointers.insert(), [{**key, **row}])
    payload = {**key, **changes, "previous": current.release}
    sequence = audit.append(connection, at=at, actor=actor, action=action, payload=payload)
    event = {**payload, "sequence": sequence, "action": action, "at": at, "actor": actor}
    connection.execute(t.history.insert(), [event])
    return Move(current.environment, current.flow, release, current.release, current.generation + 1)
