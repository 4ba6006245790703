"""Rows of a database become documents. It is only ever read."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.documents.items import Item, Ready, utc
from genaiops.documents.listing import shown
from genaiops.documents.loading import Quarantined, plain, unix_lines
from genaiops.documents.settings import SourceSettings
from genaiops.documents.sources.reach import Reach, from_environment, without
from genaiops.errors import ConfigurationError, SourceError
from genaiops.records import Document, Origin, digest_of

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

VERSION = "sql 1"
_ROWS_AT_ONCE = 1000
_LONGEST_ID = 512
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
_READS = re.compile(r"\s*\(*\s*(?:select|with|values|table)\b", re.IGNORECASE)


def rows_of(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    """One document per row, with the id `name#<id>`; a row without id or text is quarantined alone.

    ConfigurationError when the query is none that only reads, or lacks a column; SourceError when the database
    fails, also half-way: an index must not lose documents to an outage.
    """
    url = _url(source, reach.base)
    name = source.name or Path(url.database or "").stem or "sql"
    query = _only_reads(source.query)
    with _reading(source, url) as connection:
        result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
        columns = list(result.keys())
        _check_columns(source, columns)
        for number, row in enumerate(result.mappings(), 1):
            yield _outcome(source, name, row, number, reach.max_bytes)


def _url(source: SourceSettings, base: Path) -> URL:
    """The address, a database file of SQLite relative to the flow's folder and opened for reading."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(from_environment(source.sql, "sql"))
    except (ArgumentError, ValueError):  # a port that is no number
        raise ConfigurationError(
            "sql is not the URL of a database",
            where=source.sql,
            remedy="sqlite:///file.db or postgresql+psycopg://host/db",
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        path = base / url.database
        if not path.is_file():
            raise ConfigurationError(
                f"source {source.sql!r} does not exist", where=path, remedy="check documents.sources"
            )
        url = url.set(database=f"{path.resolve().as_uri()}?mode=ro", query={"uri": "true"})
    return url


def _only_reads(query: str) -> str:
    """The one statement of a query; ConfigurationError when it is more than one, or none that reads."""
    query = query.strip().removesuffix(";").rstrip()
    bare = _QUOTED.sub(" ", query)
    if not _READS.match(bare) or ";" in bare:
        raise ConfigurationError("query must be one statement that reads: SELECT, WITH, VALUES or TABLE", where="query")
    return query


@contextmanager
def _reading(source: SourceSettings, url: URL) -> Iterator[Connection]:
    """A connection in a read-only transaction, which is rolled back whatever happened."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(url, poolclass=NullPool)
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"source {source.sql!r} needs a driver that is not installed: {error}",
            remedy="pip install it, and name it in the URL: postgresql+psycopg://…",
        ) from None
    dialect = engine.dialect.name
    if dialect == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    secrets = tuple(text for text in (url.password, url.username) if isinstance(text, str) and text)
    try:
        with engine.connect() as connection:
            if command := _READ_ONLY.get(dialect):
                connection.exec_driver_sql(command)
                connection.commit()  # a rollback would undo it
            try:
                yield connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)
            finally:
                connection.rollback()
    except SQLAlchemyError as error:
        # The whole error would repeat the statement and, from some drivers, the address with its password.
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        raise SourceError(
            f"source {source.sql!r} cannot be read: {without(secrets, said)[:300]}",
            remedy="check the address, the query and the rights, then try again",
        ) from None
    finally:
        engine.dispose()


def _check_columns(source: SourceSettings, columns: list[str]) -> None:
    wanted = [source.id, *source.text, *source.metadata, *([source.modified] if source.modified else [])]
    if missing := [name for name in wanted if name not in columns]:
        raise ConfigurationError(
            f"the query gives no column {', '.join(map(repr, missing))}",
            where=source.sql,
            remedy=f"it gives {', '.join(columns)}",
        )


def _outcome(
    source: SourceSettings, name: str, row: Mapping[Any, Any], number: int, max_bytes: int
) -> Ready | Quarantined:
    key = row[source.id]
    if key is None or not str(key).strip() or not str(key).isprintable() or len(str(key)) > _LONGEST_ID:
        return Quarantined(name, f"row {number}: {source.id} must be 1 to {_LONGEST_ID} printable characters")
    document_id = f"{name}#{shown(str(key))}"
    try:
        parts = [_text(row[column], column) for column in source.text]
        metadata = plain({column: _value(row[column]) for column in source.metadata})
        text = unix_lines("\n\n".join(part for part in parts if part.strip()))
        text.encode()
    except ValueError as error:
        return Quarantined(document_id, f"row {number}: {error}")
    if not text:
        return Quarantined(document_id, f"row {number}: {' and '.join(source.text)} is empty", "empty")
    if len(text) > max_bytes:
        return Quarantined(document_id, f"is larger than documents.max_bytes={max_bytes} ({len(text)} characters)")
    modified = utc(row[source.modified]) if source.modified else ""
    origin = Origin(str(source), VERSION, digest_of([text, metadata]), modified)
    return Ready(Document(document_id, text, metadata, origin), f"row {number} of {source.sql}")


def _text(value: Any, column: str) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError(f"{column} holds bytes, not text")
    text = "" if value is None else str(value)
    if "\0" in text:
        raise ValueError(f"{column} holds a NUL character")
    return text


def _value(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError("metadata must be text, numbers or dates, not bytes")
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    return value
