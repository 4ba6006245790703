"""The registry's tables, and transactions that either happen or do not."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError, Conflict, GenaiopsError, IntegrityError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

SCHEMA_VERSION = 1
BUSY_SECONDS = 5.0
VERSION_KEY = "schema_version"
RESTORE = "restore the database from a backup; release files are not affected"
ADVISORY_LOCK = 7_236_111  # any number that no other program on the same PostgreSQL database locks


class RegistryUnavailable(GenaiopsError):
    """The registry cannot be reached, is locked for too long or cannot be written; nothing was changed."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Tables:
    """The registry's five tables.

    `audit` is the log; `history`, `pointers` and `releases` say the same in a form that is
    quick to read, and `genaiops audit verify` compares the two. A row of `history` or
    `releases` carries the sequence number of its audit entry. `meta` holds the schema
    version and the count and head of the log, so that a log cut at its end is noticed.
    """

    meta: Table
    releases: Table
    pointers: Table
    history: Table
    audit: Table


@cache
def tables() -> Tables:
    """The table definitions; imports SQLAlchemy on first use."""
    from sqlalchemy import Column, Integer, MetaData, String, Table, Text, UniqueConstraint

    schema = MetaData()
    name, digest = String(64), String(64)
    moment, actor = String(40), String(200)
    return Tables(
        meta=Table("meta", schema, Column("key", name, primary_key=True), Column("value", Text, nullable=False)),
        releases=Table(
            "releases",
            schema,
            Column("digest", digest, primary_key=True),
            Column("flow", name, nullable=False),
            Column("sequence", Integer, nullable=False, unique=True),
            Column("created_at", moment, nullable=False),
            Column("actor", actor, nullable=False),
        ),
        pointers=Table(
            "pointers",
            schema,
            Column("environment", name, primary_key=True),
            Column("flow", name, primary_key=True),
            Column("release", digest, nullable=False),
            Column("generation", Integer, nullable=False),
            Column("since", moment, nullable=False),
            Column("actor", actor, nullable=False),
        ),
        history=Table(
            "history",
            schema,
            Column("sequence", Integer, primary_key=True, autoincrement=False),
            Column("environment", name, nullable=False),
            Column("flow", name, nullable=False),
            Column("generation", Integer, nullable=False),
            Column("action", name, nullable=False),
            Column("release", digest, nullable=False),
            Column("previous", digest, nullable=True),
            Column("at", moment, nullable=False),
            Column("actor", actor, nullable=False),
            # The last defence against two winners of one generation.
            UniqueConstraint("environment", "flow", "generation"),
        ),
        audit=Table(
            "audit",
            schema,
            Column("sequence", Integer, primary_key=True, autoincrement=False),
            Column("at", moment, nullable=False),
            Column("actor", actor, nullable=False),
            Column("action", name, nullable=False),
            Column("payload", Text, nullable=False),
            Column("previous", digest, nullable=False),
            Column("hash", digest, nullable=False),
        ),
    )


def utc_now() -> str:
    """ISO 8601 in UTC, to the millisecond. For people to read: order is by sequence only, clocks jump."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Database:
    """One registry database by SQLAlchemy URL. Opens nothing until it is first used.

    SQLite keeps its rollback journal (WAL would have every reader create files beside
    the database, which a read-only service must not need), syncs file and folder on
    each commit, and takes the write lock at the start of a writing transaction, so two
    writers cannot both read the old state. PostgreSQL gets the same by an advisory lock.
    """

    url: str

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that alone may write; committed when the block ends, rolled back on any error.

        Raises RegistryUnavailable (locked for 5 s, not reachable, not writable), IntegrityError
        (not a registry, damaged) and ConfigurationError (written by a newer version).
        """
        file = self._file
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        engine = self._engine.execution_options(genaiops_writes=True)
        with self._errors(), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
            if not _has_tables(connection):
                tables().meta.metadata.create_all(connection)
                connection.execute(tables().meta.insert(), [{"key": VERSION_KEY, "value": str(SCHEMA_VERSION)}])
            self._check_version(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """One consistent view; None when nothing was ever written. Creates no file. Raises as `writing`."""
        file = self._file
        if file is not None and not file.exists():
            yield None
            return
        with self._errors(), self._engine.begin() as connection:
            if not _has_tables(connection):
                yield None
                return
            self._check_version(connection)
            yield connection

    @property
    def _file(self) -> Path | None:
        url = self._engine.url
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def _engine(self) -> Engine:
        return _engine(self.url)

    def _check_version(self, connection: Connection) -> None:
        from sqlalchemy import select

        meta = tables().meta
        found = connection.execute(select(meta.c.value).where(meta.c.key == VERSION_KEY)).scalar()
        if not (found or "").isdigit():
            raise IntegrityError(f"the registry's schema version is {found!r}", where=self._where, remedy=RESTORE)
        if int(found or 0) > SCHEMA_VERSION:
            raise ConfigurationError(
                f"the registry was written by a newer genaiops (schema {found}, this one knows {SCHEMA_VERSION})",
                where=self._where,
                remedy="upgrade: pip install --upgrade genaiops",
            )

    @property
    def _where(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """The database's own errors, as errors a user can act on."""
        from sqlalchemy import exc

        try:
            yield
        except exc.OperationalError as error:
            raise RegistryUnavailable(
                f"the registry is not available: {error.orig}",
                where=self._where,
                remedy="nothing was changed; check that it is reachable and writable, then run the command again",
            ) from None
        except exc.IntegrityError as error:  # the unique keys caught what a lock should have
            raise Conflict(
                f"somebody else wrote to the registry at the same moment: {error.orig}",
                where=self._where,
                remedy="nothing was changed; run: genaiops status, then decide again",
            ) from None
        except exc.DatabaseError as error:
            raise IntegrityError(
                f"the registry cannot be read: {error.orig}",
                where=self._where,
                remedy=RESTORE,
            ) from None


def _has_tables(connection: Connection) -> bool:
    return bool(connection.dialect.has_table(connection, "meta"))


@cache
def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine, event, exc, make_url
    from sqlalchemy.pool import NullPool

    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite and parsed.database in (None, "", ":memory:"):
            raise ConfigurationError(
                "a registry in memory forgets what it acknowledged",
                where=url,
                remedy="use sqlite:///path/to/registry.db",
            )
        # No pool: a registry is asked a few times a minute, and a forked child must not inherit a connection.
        arguments = {"timeout": BUSY_SECONDS} if is_sqlite else {}
        engine = create_engine(parsed, poolclass=NullPool, connect_args=arguments)
    except exc.ArgumentError as error:
        raise ConfigurationError(
            f"not a registry address: {error}", where="genaiops.yaml: registry", remedy="use sqlite:///path/registry.db"
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the registry needs the driver {error.name!r}", where="genaiops.yaml: registry", remedy="pip install it"
        ) from None
    if is_sqlite:
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    # A damaged name must be found by the audit, not break it.
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.execute("PRAGMA synchronous = EXTRA")  # FULL, and the folder after the journal is deleted


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("genaiops_writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite's own waiting sleeps longer the longer it has waited, so whoever comes last wins and
    # one of sixteen writers starved for 5 s. Here everybody asks equally often.
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA busy_timeout = 0")
    give_up = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < give_up:
        try:
            raw.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                break
        time.sleep(random.uniform(0.001, 0.005))
    if not raw.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # most likely fails again, now as SQLAlchemy's error
    raw.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")  # a commit waits for readers
