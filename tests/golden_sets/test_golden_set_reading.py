from __future__ import annotations

import json
from pathlib import Path

import pytest

from genaiops.errors import GoldenSetError, NotFound
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Evidence

GOOD = {"id": "a", "question": "What is a run?", "evidence": [{"document": "runs.md", "quote": "A run is"}]}


def write(folder: Path, *rows: object, raw: bytes = b"") -> Path:
    path = folder / "golden.jsonl"
    lines = [json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join([*lines, *([raw] if raw else [])]) + b"\n")
    return path


def fault_of(folder: Path, row: object) -> str:
    path = write(folder, GOOD, row)
    with pytest.raises(GoldenSetError) as raised:
        GoldenSet.load(path)
    assert raised.value.where == f"{path}:2"
    return str(raised.value)


def test_reads_a_folder_named_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    unanswerable = {"id": "b", "question": "Who won?", "kind": "unanswerable", "tags": ["sports"]}
    write(folder, {**GOOD, "reference": "A record."}, unanswerable)
    golden = GoldenSet.load(folder)
    assert golden.name == "handbook"
    assert golden.cases == (
        Case("a", "What is a run?", "answerable", "A record.", (Evidence("runs.md", "A run is"),)),
        Case("b", "Who won?", "unanswerable", tags=("sports",)),
    )
    assert [golden.line("a"), golden.line("b"), golden.line("c")] == [1, 2, None]


def test_reads_one_file_named_after_its_stem(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD).rename(tmp_path / "small.jsonl")
    assert GoldenSet.load(str(path)).name == "small"


def test_blank_lines_count_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text("\n\n" + json.dumps(GOOD) + "\r\n   \n", encoding="utf-8")
    assert GoldenSet.load(path).line("a") == 3


def test_line_separators_inside_a_string_are_not_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(json.dumps({**GOOD, "question": "One\u2028two\x85?"}, ensure_ascii=False), encoding="utf-8")
    assert GoldenSet.load(path).cases[0].question == "One\u2028two\x85?"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"questoin": "x"}, "unknown key 'questoin'; did you mean 'question'?"),
        ({"zzz": 1}, "unknown key 'zzz'; known: id, question"),
        ({"question": "  "}, "question is empty"),
        ({"question": 3}, "question: Input should be a valid string, got 3"),
        ({"kind": "hard"}, "kind: Input should be 'answerable', 'unanswerable' or 'adversarial', got 'hard'"),
        ({"evidence": [{"document": "d", "quote": " "}]}, "evidence 1: the quote is empty"),
        ({"evidence": [{"document": "d", "qoute": "x"}]}, "did you mean 'quote'?"),
        ({"evidence": [{"quote": "x"}]}, "evidence.0.document is missing"),
        ({"evidence": [{"document": "d", "quote": "x"}] * 2}, "the same evidence is given twice: 'x'"),
        ({"evidence": []}, "an answerable case needs evidence or a reference"),
        ({"kind": "unanswerable"}, "neither evidence nor reference"),
        ({"reference": " "}, "reference is blank"),
        ({"id": "a"}, "id 'a' stands on line 1 already"),
        ({"id": ""}, "id: String should have at least 1 character"),
        ({"id": " x"}, "has spaces around it"),
        ({"tags": "one"}, "tags: Input should be a valid"),
    ],
)
def test_a_broken_case_says_what_and_where(tmp_path: Path, change: dict[str, object], says: str) -> None:
    assert says in fault_of(tmp_path, {**GOOD, "id": "b", **change})


def test_a_case_without_a_question_says_so(tmp_path: Path) -> None:
    assert "question is missing" in write_and_fail(tmp_path, {key: GOOD[key] for key in ("id", "evidence")})


def write_and_fail(folder: Path, *rows: object, raw: bytes = b"") -> str:
    with pytest.raises(GoldenSetError) as raised:
        GoldenSet.load(write(folder, *rows, raw=raw))
    return str(raised.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"id": "b", "question": ', "not valid JSON"),
        (b'["b"]', "expected one JSON object a line, got list"),
        (b'{"id": "b", "id": "c", "question": "q", "reference": "r"}', "key 'id' is given twice"),
        (b'{"id": "b", "question": "\xff", "reference": "r"}', "not UTF-8: invalid start byte at byte 26"),
        (b'{"id": "b", "question": "\\ud800", "reference": "r"}', "half of a surrogate pair"),
        (b'{"id": "b", "question": NaN, "reference": "r"}', "NaN is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b"9" * 10_000, "Exceeds the limit"),
    ],
)
def test_a_line_that_is_not_json_says_why(tmp_path: Path, line: bytes, says: str) -> None:
    text = write_and_fail(tmp_path, GOOD, raw=line)
    assert f"{tmp_path / 'golden.jsonl'}:2: " in text
    assert says in text


def test_one_error_lists_every_broken_line(tmp_path: Path) -> None:
    rows = [{**GOOD, "id": str(n)} for n in range(5)]
    text = write_and_fail(tmp_path, rows[0], {"id": "x"}, rows[1], {**rows[2], "kind": "no"}, raw=b"{")
    path = tmp_path / "golden.jsonl"
    assert [f"{path}:{line}: " in text for line in range(1, 6)] == [False, True, False, True, True]


def test_a_byte_order_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    with pytest.raises(GoldenSetError, match="byte-order mark") as raised:
        GoldenSet.load(path)
    assert raised.value.where == f"{path}:1"


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    assert "is empty" in write_and_fail(tmp_path)
    with pytest.raises(GoldenSetError, match="is empty"):
        GoldenSet("mine", ())


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="cannot be read"):
        GoldenSet.load(tmp_path / "none.jsonl")


def test_cases_made_in_python_must_differ_in_id_too() -> None:
    with pytest.raises(GoldenSetError, match="more than one case with the id 'a'"):
        GoldenSet("mine", (Case("a", "x?", reference="y"), Case("a", "z?", reference="y")))


def test_the_digest_follows_the_cases_not_their_order_name_or_lines(tmp_path: Path) -> None:
    one, two = Case("a", "x?", reference="y"), Case("b", "z?", reference="y")
    digest = GoldenSet("mine", (one, two)).digest
    assert GoldenSet("other", (two, one), (7, 9)).digest == digest
    assert GoldenSet("mine", (one,)).digest != digest
    assert GoldenSet("mine", (one, Case("b", "z?", reference="Y"))).digest != digest
