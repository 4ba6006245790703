"""A filter decides what may be found before anything is searched, and as the plain reading of its words says."""

from __future__ import annotations

import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genaiops.errors import ConfigurationError
from genaiops.indexing import index_inputs
from genaiops.indexing.conditions import parse_where
from genaiops.indexing.filters import Columns, Selection
from genaiops.indexing.snapshot import load_index, write_index
from genaiops.records import Chunk, Document, Metadata, Query

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 1.5]),
    st.sampled_from(["", "a", "ab", "1"]),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=1))
KEYS = st.sampled_from(["product", "year", "tags"])
LABELS = st.sampled_from(["staff", "legal", "board"])
ACCESS = st.one_of(st.lists(LABELS, max_size=3), VALUES)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a.md", "b/a.md", "b/c.txt", ""]),
        st.one_of(
            st.dictionaries(KEYS, VALUES),
            st.builds(lambda m, a: {**m, "access": a}, st.dictionaries(KEYS, VALUES), ACCESS),
        ),
    ),
    max_size=12,
)
BOUNDS = st.one_of(st.integers(-3, 3), st.sampled_from(["", "a", "b"]))
TESTS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), BOUNDS, min_size=1),
    st.fixed_dictionaries({"contains": SCALARS}),
    st.fixed_dictionaries({"not": st.one_of(SCALARS, st.lists(SCALARS, max_size=2))}),
)
GLOBS = st.sampled_from(["*", "a.md", "b/*", "*.md", "*a*", "b*a*md", "**", "", "a*a.md"])
WHERES = st.builds(
    lambda where, document: where if document is None else {**where, "document": document},
    st.dictionaries(KEYS, TESTS, max_size=2),
    st.one_of(st.none(), GLOBS, st.lists(GLOBS, max_size=2), st.fixed_dictionaries({"not": GLOBS})),
)


def same(value: Any, wanted: Any) -> bool:
    """Equal as JSON values, with 1 and 1.0 the same number."""
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
    return type(value) is type(wanted) and not isinstance(value, (list, dict)) and value == wanted


def permitted(document: str, metadata: Metadata, query: Query) -> bool:
    """The plain reading, chunk by chunk."""
    if "access" in metadata:
        labels = metadata["access"]
        if not isinstance(labels, list) or any(not isinstance(label, str) or label == "" for label in labels):
            return False
        if query.access is not None and not set(labels) & set(query.access):
            return False
    return all(passes(key, document if key == "document" else metadata.get(key), t) for key, t in query.where.items())


def passes(key: str, value: Any, test: Any) -> bool:
    if isinstance(test, dict):
        return all(operator(key, value, name, wanted) for name, wanted in test.items())
    choices = test if isinstance(test, list) else [test]
    if key == "document":
        return any(fnmatchcase(value, choice) for choice in choices)
    return any(same(value, choice) for choice in choices)


def operator(key: str, value: Any, name: str, wanted: Any) -> bool:
    if name == "not":
        return not passes(key, value, wanted)
    if name == "contains":
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and any(same(item, wanted) for item in value)
    numbers = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in (value, wanted)]
    texts = [isinstance(v, str) for v in (value, wanted)]
    if not (all(numbers) or all(texts)):
        return False
    return bool({"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted, "lte": value <= wanted}[name])


@settings(max_examples=250, deadline=None)
@given(rows=ROWS, where=WHERES, access=st.one_of(st.none(), st.lists(LABELS, max_size=2).map(tuple)))
def test_the_selection_is_what_the_plain_reading_permits(
    rows: list[tuple[str, Metadata]], where: Metadata, access: tuple[str, ...] | None
) -> None:
    query = Query("?", where=where, access=access)
    expected = [p for p, (document, metadata) in enumerate(rows) if permitted(document, metadata, query)]
    columns = Columns(rows)
    for _ in range(2):  # computed, then remembered
        selection = columns.select(query)
        found = list(range(len(rows))) if selection is None else selection.positions.tolist()
        assert found == expected
    assert (selection is None) == (len(expected) == len(rows))


def selected(where: Metadata, *metadata: Metadata) -> list[int]:
    selection = Columns((f"{n}.md", m) for n, m in enumerate(metadata)).select(Query("?", where=where))
    return list(range(len(metadata))) if selection is None else selection.positions.tolist()


def test_what_the_documented_forms_mean() -> None:
    rows: tuple[Metadata, ...] = (
        {"product": "aks", "year": 2023, "tags": ["x"]},
        {"product": "vm", "year": 2025, "tags": []},
        {"year": "2025"},
    )
    assert selected({"product": "aks"}, *rows) == [0]
    assert selected({"product": ["vm", "aks"]}, *rows) == [0, 1]
    assert selected({"product": []}, *rows) == []
    assert selected({"year": {"gte": 2024, "lt": 2026}}, *rows) == [1]
    assert selected({"tags": {"contains": "x"}}, *rows) == [0]
    assert selected({"product": {"not": "aks"}}, *rows) == [1, 2]
    assert selected({"product": None}, *rows) == [2]
    assert selected({"document": "*.md", "product": {"not": ["aks", "vm"]}}, *rows) == [2]
    assert selected({"document": ["0.md", "2*"]}, *rows) == [0, 2]


def test_true_is_not_one_and_text_is_not_a_number() -> None:
    rows: tuple[Metadata, ...] = ({"v": True}, {"v": 1}, {"v": 1.0}, {"v": "1"})
    assert selected({"v": True}, *rows) == [0]
    assert selected({"v": 1}, *rows) == [1, 2]
    assert selected({"v": {"gte": 0}}, *rows) == [1, 2]


@pytest.mark.parametrize("access", ["staff", "", None, 7, [""], ["staff", 3], {"staff": True}, [["staff"]]])
def test_a_malformed_label_is_seen_by_nobody(access: object) -> None:
    columns = Columns([("a.md", {"access": access}), ("b.md", {})])
    for holds in (None, (), ("staff",), ("s", "t")):
        selection = columns.select(Query("?", access=holds))
        assert selection is not None
        assert selection.positions.tolist() == [1]


def test_who_holds_no_label_sees_what_has_none() -> None:
    columns = Columns([("a.md", {"access": ["staff"]}), ("b.md", {}), ("c.md", {"access": []})])
    assert columns.select(Query("?")) is None
    for holds, seen in (((), [1]), (("staff",), [0, 1]), (("Staff", "legal"), [1])):
        selection = columns.select(Query("?", access=holds))
        assert selection is not None
        assert selection.positions.tolist() == seen


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"year": {"above": 3}}, "where.year has no operator 'above'; there is gt, gte, lt, lte, contains, not"),
        ({"year": {}}, "where.year names no operator"),
        ({"year": {"gte": None}}, "where.year.gte must be a number or a text, got None"),
        ({"year": {"lt": True}}, "where.year.lt must be a number or a text, got True"),
        ({"year": {"gte": [1]}}, "must be a text, a number"),
        ({"year": {"not": {"gte": 3}}}, "must be a text, a number"),
        ({"year": float("nan")}, "got nan"),
        ({"year": float("inf")}, "got inf"),
        ({"year": [[1]]}, "got list"),
        ({"day": datetime.date(2026, 1, 1)}, "got date"),
        ({"": 1}, "a key that is no name: ''"),
        ({3: 1}, "a key that is no name: 3"),
        ([("a", 1)], "where must be keys and values, got list"),
    ],
)
def test_a_form_that_there_is_not_is_refused_with_the_forms(where: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_where(where)
    assert said in caught.value.what
    assert '{"gte": 2024' in caught.value.remedy


def test_a_pattern_of_many_stars_is_decided_at_once() -> None:
    rows: list[tuple[str, Metadata]] = [("a" * 5000, {})] * 3
    selection = Columns(rows).select(Query("?", where={"document": "*a" * 400 + "*b"}))
    assert selection is not None
    assert len(selection) == 0


def test_a_selection_knows_its_positions() -> None:
    selection = Selection.of([7, 2], 9)
    assert (len(selection), selection.size, selection.positions.tolist()) == (2, 9, [2, 7])
    assert 7 in selection
    assert 3 not in selection
    assert 9 not in selection
    assert (selection & Selection.of([2, 3], 9)).positions.tolist() == [2]
    assert np.unpackbits(selection.bits, bitorder="little", count=9).astype(bool).tolist() == selection.mask.tolist()
    with pytest.raises(ValueError, match="read-only"):
        selection.mask[0] = True
    for outside in (-1, 9):
        with pytest.raises(IndexError):
            Selection.of([outside], 9)


def test_a_hundred_thousand_chunks_are_read_once() -> None:
    asked = 0

    class Counting(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            nonlocal asked
            asked += key == "year"
            return super().get(key, default)

    kinds = [Counting(year=2000 + n) for n in range(20)]
    columns = Columns(("a.md", kinds[n % 20]) for n in range(100_000))
    for year in (2001, 2002, 2003):
        selection = columns.select(Query("?", where={"year": year}))
        assert selection is not None
        assert len(selection) == 5000
    assert asked == 20
    assert selection is not None
    assert selection.positions[:3].tolist() == [3, 23, 43]


@pytest.mark.parametrize("metadata", [{}, {"access": ["staff"]}, {"access": 3}, {"n": {"access": ["x"]}}])
def test_an_index_decides_as_its_columns_do(tmp_path: Path, metadata: Metadata) -> None:
    """Also where a text looks like a label."""
    texts = ['"access":["staff"]', 'plain "metadata":{}', 'c,"metadata":{"access":["x"]},"settings":"']
    chunks = [Chunk(f"{n}-{t}.md", 0, 1, t, "s", t, metadata if n else {}) for n, t in enumerate(texts)]
    documents = [Document(chunk.document_id, chunk.text, chunk.metadata) for chunk in chunks]
    inputs = index_inputs(documents, {"index": {"kind": "flat"}}, "words-1")
    manifest = write_index(tmp_path, inputs, documents, chunks, np.eye(3, 4, dtype=np.float32), {})
    index = load_index(tmp_path / manifest.id, embedder="words-1")
    columns = Columns((chunk.document_id, chunk.metadata) for chunk in chunks)
    for query in (Query("?"), Query("?", access=("staff",)), Query("?", where={"document": "0*"})):
        expected, found = columns.select(query), index.select(query)
        assert (None if found is None else found.positions.tolist()) == (
            None if expected is None else expected.positions.tolist()
        )
    assert [index.chunk(n) for n in range(3)] == chunks
    assert [index.document_text(d.id) for d in documents] == texts
