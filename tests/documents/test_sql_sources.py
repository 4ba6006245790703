"""Rows of real databases become documents, and nothing in them is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, read_documents
from genaiops.errors import ConfigurationError, SourceError

ROWS = [
    (1, "Tea", "Green tea.", "2024-01-02T03:04:05+00:00", "drinks", 3.5),
    (2, "Pot", "A pot: 100% 'iron'.", None, "tools", None),
    (3, "Void", None, None, "tools", 1.0),
    (None, "Nobody", "No key.", None, "tools", 1.0),
]
SOURCE = {
    "sql": "sqlite:///shop.db",
    "query": "SELECT * FROM products ORDER BY id",
    "id": "id",
    "text": ["title", "body"],
    "metadata": ["shelf", "price"],
    "modified": "changed",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE products (id, title, body, changed, shelf, price)")
        connection.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", ROWS)
        connection.commit()
    return tmp_path


def read(base: Path, **changed: Any) -> Corpus:
    source = {**SOURCE, **changed}
    return read_documents(validated_data(DocumentSettings, {"sources": [source]}, where=str), base)


def test_each_row_is_a_document_with_its_key_as_id(shop: Path) -> None:
    corpus = read(shop, text=["body"])
    tea, pot = corpus.documents
    assert (tea.id, tea.text, tea.metadata) == ("shop#1", "Green tea.", {"shelf": "drinks", "price": 3.5})
    assert (pot.id, pot.text, pot.metadata) == ("shop#2", "A pot: 100% 'iron'.", {"shelf": "tools", "price": None})
    assert tea.origin is not None
    assert (tea.origin.source, tea.origin.loader) == ("sqlite:///shop.db", "sql 1")
    assert tea.origin.modified == "2024-01-02T03:04:05+00:00"
    assert [(item.document_id, item.kind) for item in corpus.quarantined] == [
        ("shop", "unreadable"),
        ("shop#3", "empty"),
    ]


def test_several_text_columns_are_paragraphs_and_a_name_leads_the_ids(shop: Path) -> None:
    corpus = read(shop, name="catalogue")
    assert corpus.documents[0].id == "catalogue#1"
    assert corpus.documents[0].text == "Tea\n\nGreen tea."


def test_a_colon_or_a_percent_sign_in_a_query_is_no_parameter(shop: Path) -> None:
    query = "SELECT id, ':x ' || body || ' 5%' AS body FROM products WHERE body LIKE '%tea%'"
    corpus = read(shop, query=query, text=["body"], metadata=[], modified="")
    assert [d.text for d in corpus.documents] == [":x Green tea. 5%"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM products",
        "UPDATE products SET body = ''",
        "DROP TABLE products",
        "SELECT 1; DELETE FROM products",
        "/* SELECT */ DELETE FROM products",
        "PRAGMA writable_schema = 1",
        "ATTACH DATABASE 'x.db' AS x",
        "",
    ],
)
def test_only_one_statement_that_reads_is_run(shop: Path, query: str) -> None:
    before = (shop / "shop.db").read_bytes()
    with pytest.raises(ConfigurationError):
        read(shop, query=query)
    assert (shop / "shop.db").read_bytes() == before


def test_a_statement_that_reads_and_writes_is_stopped_by_the_database(shop: Path) -> None:
    before = (shop / "shop.db").read_bytes()
    with pytest.raises((ConfigurationError, SourceError)):
        read(shop, query="WITH gone AS (SELECT 1) DELETE FROM products RETURNING *")
    assert (shop / "shop.db").read_bytes() == before
    assert sorted(path.name for path in shop.iterdir()) == ["shop.db"]


def test_a_semicolon_in_a_quoted_text_ends_no_statement(shop: Path) -> None:
    query = "SELECT id, body || ';' AS body FROM products WHERE id = 1 -- a remark; no more\n;"
    assert [d.text for d in read(shop, query=query, text=["body"], metadata=[], modified="").documents] == [
        "Green tea.;"
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"query": "SELECT absent FROM products"}, "no such column: absent"),
        ({"text": ["bodi"]}, "the query gives no column 'bodi'"),
        ({"sql": "sqlite:///gone.db"}, "does not exist"),
        ({"sql": "nosuchbase://host/db"}, "driver that is not installed"),
        ({"sql": "no url"}, "not the URL of a database"),
        ({"sql": "env:NO_SUCH_VARIABLE"}, "needs the environment variable NO_SUCH_VARIABLE"),
    ],
)
def test_what_is_wrong_is_told(shop: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises((ConfigurationError, SourceError), match=told):
        read(shop, **changed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sql": "postgresql://me:word@host/db"},
        {"sql": "postgresql://host/db?password=word"},
        {"query": ""},
        {"id": ""},
        {"text": []},
        {"web": ["https://example.org"]},
        {"options": {}},
    ],
)
def test_settings_are_checked_and_hold_no_password(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        read(tmp_path, **wrong)


def test_a_url_with_a_port_that_is_no_number_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_URL", "postgresql://me:very@secret:word/x@host/db")
    with pytest.raises(ConfigurationError, match="is not the URL of a database") as caught:
        read(tmp_path, sql="env:NOTES_URL")
    assert "very" not in str(caught.value)


def test_keys_from_strangers_are_texts_and_nothing_more(shop: Path) -> None:
    keys = ["../../etc/passwd", "a\nb", "%2e%2e", "x" * 600, "", '{"lc": 1, "type": "secret"}']
    with closing(sqlite3.connect(shop / "shop.db")) as connection:
        connection.executemany("INSERT INTO products VALUES (?, 't', 'b', NULL, NULL, NULL)", [(key,) for key in keys])
        connection.commit()
    corpus = read(shop)
    assert {"shop#../../etc/passwd", "shop#%2e%2e", 'shop#{"lc": 1, "type": "secret"}'} < {
        d.id for d in corpus.documents
    }
    assert len([item for item in corpus.quarantined if "printable characters" in item.reason]) == 4


# --- PostgreSQL ---------------------------------------------------------------


def test_rows_of_postgresql_are_read_and_its_errors_tell_no_password(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import create_engine

    url = postgres.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id int, body text, day date, n numeric, changed timestamptz)")
        connection.exec_driver_sql(
            "INSERT INTO notes VALUES (1, 'One.', '2024-05-01', 1.50, '2024-05-01 10:00+02'),"
            " (2, 'Two.', NULL, 2, NULL)"
        )
    engine.dispose()
    monkeypatch.setenv("NOTES_URL", url)
    notes = {
        "sql": "env:NOTES_URL",
        "query": "SELECT *, n::text AS m FROM notes",
        "name": "notes",
        "modified": "changed",
    }
    corpus = read(tmp_path, **notes, text=["body"], metadata=["day", "n", "m"])
    one = corpus.documents[0]
    assert (one.id, one.text, one.metadata) == ("notes#1", "One.", {"day": "2024-05-01", "n": "1.50", "m": "1.50"})
    assert one.origin is not None
    assert (one.origin.source, one.origin.modified) == ("env:NOTES_URL", "2024-05-01T08:00:00+00:00")
    for query in (
        "WITH gone AS (DELETE FROM notes RETURNING *) SELECT * FROM gone",
        "SELECT *, set_config('transaction_read_only', 'off', false) FROM notes",
    ):
        with pytest.raises((ConfigurationError, SourceError)):
            read(tmp_path, **{**notes, "query": query, "modified": ""}, text=["body"], metadata=[])
    assert len(read(tmp_path, **notes, text=["body"], metadata=[]).documents) == 2
    monkeypatch.setenv("NOTES_URL", "postgresql+psycopg://someone:very-secret@127.0.0.1:9/notes")
    with pytest.raises(SourceError) as caught:
        read(tmp_path, **notes, text=["body"], metadata=[])
    assert "very-secret" not in str(caught.value)
