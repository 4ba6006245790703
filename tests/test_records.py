"""Records are frozen, and their ids are digests of their content."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genaiops.configuration import Settings
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Citation,
    Document,
    Evidence,
    Message,
    Prompt,
    Query,
    Summary,
    Usage,
    as_json,
    canonical_json,
    digest_of,
    digest_of_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aä水\n"'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_is_json_and_the_same_after_a_round_trip(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text("abcdef", max_size=4), st.integers(), max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, int], chance: Any) -> None:
    keys = list(value)
    chance.shuffle(keys)
    assert digest_of({key: value[key] for key in keys}) == digest_of(value)


def test_canonical_json_has_no_spaces_and_keeps_letters() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "ä"}) == '{"a":"ä","b":[1,2.5,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_numbers_without_a_json_form_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)


@pytest.mark.parametrize("value", [object(), b"bytes", {"a": {1, 2}.__iter__()}, Document])
def test_values_without_a_json_form_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        as_json(value)


def test_sets_are_sorted_and_private_fields_left_out() -> None:
    @dataclasses.dataclass
    class Record:
        shown: set[str]
        _hidden: object = None

    assert as_json(Record({"b", "a"}, object())) == {"shown": ["a", "b"]}


def test_digests_are_sha256_of_the_canonical_text() -> None:
    assert digest_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of({"a": 1}) == digest_of_text('{"a":1}')


DOCUMENT = Document("a.md", "Some text.", {"title": "A"})
CHUNK = Chunk("a.md", 0, 4, "Some", "settings", "A\nSome")
PROMPT = Prompt("cited", (Message("user", "{{ question }}"),), ("question",), {"temperature": 0})
CASE = Case("one", "Why?", evidence=(Evidence("a.md", "Some"),))


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (DOCUMENT, {"id": "b.md"}),
        (DOCUMENT, {"text": "Other text."}),
        (DOCUMENT, {"metadata": {"title": "B"}}),
        (PROMPT, {"name": "brief"}),
        (PROMPT, {"template": (Message("system", "{{ question }}"),)}),
        (PROMPT, {"inputs": ("question", "context")}),
        (PROMPT, {"options": {}}),
        (CASE, {"question": "How?"}),
        (CASE, {"evidence": ()}),
        (CASE, {"tags": ("x",)}),
    ],
)
def test_another_content_is_another_digest(record: Any, change: dict[str, Any]) -> None:
    other = dataclasses.replace(record, **change)
    assert other.digest != record.digest
    assert dataclasses.replace(record).digest == record.digest
    assert len(record.digest) == 64


@pytest.mark.parametrize(
    "change", [{"document_id": "b.md"}, {"start": 1}, {"end": 5}, {"text": "some"}, {"settings": "others"}]
)
def test_a_chunks_id_covers_its_span_text_and_settings(change: dict[str, Any]) -> None:
    assert dataclasses.replace(CHUNK, **change).id != CHUNK.id
    assert len(CHUNK.id) == 32


def test_a_chunks_id_stays_when_only_the_enrichment_differs() -> None:
    assert dataclasses.replace(CHUNK, indexed_text="B\nSome", metadata={"x": 1}).id == CHUNK.id


def test_a_prompts_description_takes_no_part_in_its_digest() -> None:
    assert dataclasses.replace(PROMPT, description="Says more.").digest == PROMPT.digest


@pytest.mark.parametrize("record", [DOCUMENT, CHUNK, PROMPT, CASE, Query("Why?"), Usage(1, 2)])
def test_records_are_frozen(record: Any) -> None:
    name = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, "changed")
    with pytest.raises((AttributeError, TypeError)):
        record.new = 1


@pytest.mark.parametrize(
    ("case", "wants"),
    [
        (CASE, True),
        (Case("a", "Why?", reference="Because."), True),
        (Case("a", "Why?"), False),
        (Case("a", "Why?", kind="adversarial", evidence=(Evidence("a.md", "Some"),)), True),
    ],
)
def test_a_case_without_evidence_and_reference_wants_a_refusal(case: Case, wants: bool) -> None:
    assert case.wants_answer is wants


@pytest.mark.parametrize(
    ("scored", "unscored", "not_applicable", "coverage"),
    [(97, 3, 0, 0.97), (0, 0, 0, 0.0), (0, 0, 9, 0.0), (5, 0, 9, 1.0), (0, 4, 0, 0.0)],
)
def test_coverage_is_scored_of_applicable(scored: int, unscored: int, not_applicable: int, coverage: float) -> None:
    assert Summary("recall@6", None, None, None, scored, unscored, not_applicable).coverage == coverage


def test_an_answer_prints_with_its_citations() -> None:
    cited = Citation(1, CHUNK.id, "a.md", 0, 4, "Some")
    answer = Answer(Query("What?"), "Some. [1]", False, (cited,), (), Usage(), 0.0, {}, "extractive", "cited", "index")
    assert str(answer) == "Some. [1]\n[1] a.md 0-4"


class Example(Settings):
    size: int = 1


@pytest.mark.parametrize("data", [{"sise": 1}, {"size": "1"}, {"size": 1.5}, {"size": True}])
def test_settings_take_no_unknown_keys_and_no_other_types(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate(data)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Example().size = 2  # type: ignore[misc]
