"""What is changed, removed, added or moved in the registry, `verify_audit` finds, and names the first bad entry."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from genaiops.promotion import Registry
from genaiops.records import digest_of
from tests.promotion.builders import registry_in, release_of

ENTRIES = 8
COLUMNS = ("at", "actor", "action", "payload", "previous", "hash")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry whose log has 3 releases, 4 promotions and 1 rollback."""
    folder = tmp_path_factory.mktemp("good")
    registry = registry_in(folder)
    first, second, third = (registry.record_release(release_of(number), actor="ada") for number in (1, 2, 3))
    registry.promote(first, to="dev", actor="ada")
    registry.promote(second, to="dev", actor="ben")
    registry.promote(third, to="dev", actor="ben")
    registry.promote(second, to="test", actor="ada")
    registry.rollback("dev", actor="cleo")
    assert registry.verify_audit().entries == ENTRIES
    assert registry.verify_audit().ok
    return folder


@pytest.fixture
def registry(good: Path, tmp_path: Path) -> Registry:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    return registry_in(tmp_path)


@pytest.fixture
def database(registry: Registry, tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


def tampered(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, f"nothing was tampered with by {statement}"


def first_bad(registry: Registry) -> str:
    report = registry.verify_audit()
    assert not report.ok
    return str(report.first_bad)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sequence", range(1, ENTRIES + 1))
def test_f65_a_changed_column_of_any_entry_is_found(
    registry: Registry, database: Path, sequence: int, column: str
) -> None:
    tampered(database, f"UPDATE audit SET {column} = {column} || ' ' WHERE sequence = {sequence}")
    assert first_bad(registry).startswith(f"entry {sequence} ")


@pytest.mark.parametrize("column", COLUMNS)
def test_f65_every_flipped_bit_of_an_entry_is_found(registry: Registry, database: Path, column: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        (value,) = connection.execute(f"SELECT {column} FROM audit WHERE sequence = 4").fetchone()
    raw = value.encode()
    for position in range(0, len(raw), 3):
        flipped = bytearray(raw)
        flipped[position] ^= 1 << (position % 8)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE sequence = 4", (bytes(flipped),))
        assert first_bad(registry).startswith("entry 4 ")


def test_f65_a_value_of_another_type_is_found(registry: Registry, database: Path) -> None:
    tampered(database, "UPDATE audit SET payload = x'00ff' WHERE sequence = 2")
    assert first_bad(registry).startswith("entry 2 ")


@pytest.mark.parametrize("sequence", range(1, ENTRIES + 1))
def test_f65_a_removed_entry_is_found(registry: Registry, database: Path, sequence: int) -> None:
    tampered(database, f"DELETE FROM audit WHERE sequence = {sequence}")
    assert first_bad(registry).startswith(f"entry {sequence} is missing")


@pytest.mark.parametrize("kept", range(ENTRIES))
def test_f65_a_log_cut_at_its_end_is_found(registry: Registry, database: Path, kept: int) -> None:
    tampered(database, f"DELETE FROM audit WHERE sequence > {kept}")
    assert first_bad(registry) == f"entry {kept + 1} is missing (the log had {ENTRIES})"


def test_f65_a_log_cut_at_its_end_with_its_count_adjusted_is_found(registry: Registry, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        (head,) = connection.execute(f"SELECT hash FROM audit WHERE sequence = {ENTRIES - 1}").fetchone()
    tampered(
        database,
        f"DELETE FROM audit WHERE sequence = {ENTRIES}",
        f"UPDATE meta SET value = '{ENTRIES - 1}' WHERE key = 'audit_count'",
        f"UPDATE meta SET value = '{head}' WHERE key = 'audit_head'",
    )
    assert "history" in first_bad(registry)


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in range(1, ENTRIES + 1) for b in range(a + 1, ENTRIES + 1)])
def test_f65_two_entries_in_each_others_place_are_found(
    registry: Registry, database: Path, one: int, other: int
) -> None:
    tampered(
        database,
        f"UPDATE audit SET sequence = 1000 WHERE sequence = {one}",
        f"UPDATE audit SET sequence = {one} WHERE sequence = {other}",
        f"UPDATE audit SET sequence = {other} WHERE sequence = 1000",
    )
    assert first_bad(registry).startswith(f"entry {one} ")


def test_f65_an_entry_that_was_added_is_found(registry: Registry, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.row_factory = sqlite3.Row
        entry = dict(connection.execute(f"SELECT * FROM audit WHERE sequence = {ENTRIES}").fetchone())
        entry |= {"sequence": ENTRIES + 1, "previous": entry.pop("hash")}
        entry["hash"] = digest_of(entry)
        marks = ", ".join(f":{key}" for key in entry)
        connection.execute(f"INSERT INTO audit ({', '.join(entry)}) VALUES ({marks})", entry)
    assert first_bad(registry) == f"entry {ENTRIES + 1} was added by another program"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE pointers SET release = '{0}' WHERE environment = 'test'", "test of handbook does not point"),
        ("UPDATE pointers SET generation = generation + 1", "dev of handbook does not point"),
        ("UPDATE pointers SET actor = 'eve' WHERE environment = 'dev'", "dev of handbook does not point"),
        ("DELETE FROM pointers WHERE environment = 'test'", "test of handbook does not point"),
        ("INSERT INTO pointers VALUES ('prod', 'handbook', '{0}', 1, '', 'eve')", "prod of handbook does not point"),
        ("UPDATE history SET release = '{0}' WHERE sequence = 5", "history entry 5"),
        ("UPDATE history SET actor = 'eve' WHERE sequence = 4", "history entry 4"),
        ("DELETE FROM history WHERE sequence = 6", "history entry 6"),
        ("DELETE FROM history WHERE sequence = 8", "the audit log tells of 5 history entries"),
        ("INSERT INTO history VALUES (9, 'prod', 'handbook', 1, 'promote', '{0}', NULL, '', 'eve')", "holds 6"),
        ("UPDATE releases SET created_at = '' WHERE sequence = 2", "release entry 2"),
        ("DELETE FROM releases WHERE sequence = 3", "the audit log tells of 3 release entries"),
        ("UPDATE meta SET value = '0' WHERE key = 'audit_count'", "entry 1 was added"),
        ("UPDATE meta SET value = 'x' WHERE key = 'audit_count'", "entry 1 was added"),
        ("UPDATE meta SET value = '{0}' WHERE key = 'audit_head'", "entry 8 is not the one"),
        ("DELETE FROM meta WHERE key = 'audit_head'", "entry 8 is not the one"),
        ("DELETE FROM audit", "entry 1 is missing"),
    ],
)
def test_f65_tables_that_disagree_with_the_log_are_found(
    registry: Registry, database: Path, statement: str, words: str
) -> None:
    tampered(database, statement.format("f" * 64))
    assert words in first_bad(registry)


def test_f65_an_untouched_log_reports_its_head(registry: Registry) -> None:
    report = registry.verify_audit()
    assert report.first_bad is None
    assert len(report.head) == 64
    registry.rollback("dev", actor="ada")
    assert registry.verify_audit().head != report.head
