"""Documents that say the same are found, whatever their order; which is kept is told."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genaiops.cleansing.near_duplicates import Compared, NearDuplicate, without_duplicates
from genaiops.cleansing.similarity import rows_for, shingles, sketch
from genaiops.records import Document

WORDS = [f"word{n}" for n in range(4_000)]


def text_of(seed: int, count: int = 400) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count))


def changed(text: str, places: int, seed: int = 0) -> str:
    """The text with some words replaced; each changes five shingles."""
    words = text.split()
    for place in random.Random(seed).sample(range(0, len(words), 7), places):
        words[place] = f"other{place}"
    return " ".join(words)


def jaccard(one: str, other: str) -> float:
    """By hand: sets of five words."""
    a, b = ({tuple(words[n : n + 5]) for n in range(len(words) - 4)} for words in (one.split(), other.split()))
    return len(a & b) / len(a | b)


def compared(documents: list[Document], **options: object) -> Compared:
    chosen = {"drop": "exact", "threshold": 0.9, **options}
    return without_duplicates(documents, **chosen)  # type: ignore[arg-type]


def test_an_exact_copy_is_left_out_and_the_first_by_id_is_kept() -> None:
    text = "# Kettle\n\nIt boils water.\n"
    documents = [Document("b.md", text + "\n"), Document("a.md", text), Document("c.md", "# Cup\n\nIt holds tea.")]
    result = compared(documents)
    assert [document.id for document in result.documents] == ["a.md", "c.md"]
    assert result.duplicates == {"b.md": "a.md"}
    assert [(item.document_id, item.kind) for item in result.quarantined] == [("b.md", "duplicate")]
    assert "'a.md'" in result.quarantined[0].reason


def test_a_copy_with_other_metadata_stays_and_is_reported() -> None:
    documents = [Document("a", text_of(1), {"version": 1}), Document("b", text_of(1), {"version": 2})]
    result = compared(documents)
    assert len(result.documents) == 2
    assert result.near == (NearDuplicate("b", "a", 1.0),)


def test_metadata_that_cleansing_wrote_makes_no_difference() -> None:
    documents = [Document("a", text_of(1), {"language": "en"}), Document("b", text_of(1))]
    assert compared(documents).duplicates == {"b": "a"}


def test_near_ones_are_reported_with_their_exact_similarity() -> None:
    one = text_of(1)
    other = changed(one, 3)
    result = compared([Document("a", one), Document("b", other), Document("c", text_of(2))])
    assert len(result.documents) == 3
    assert result.near == (NearDuplicate("b", "a", round(jaccard(one, other), 4)),)


def test_near_ones_are_left_out_when_asked_unless_others_may_read_them() -> None:
    one = text_of(1)
    documents = [
        Document("a", one, {"access": ["staff"]}),
        Document("b", changed(one, 2), {"access": ["staff"]}),
        Document("c", changed(one, 2, 1)),
    ]
    result = compared(documents, drop="near")
    assert [document.id for document in result.documents] == ["a", "c"]
    assert result.duplicates == {"b": "a"}
    assert [(pair.document, pair.like, pair.dropped) for pair in result.near] == [("b", "a", True), ("c", "a", False)]


def test_none_is_left_out_when_all_are_to_be_kept() -> None:
    result = compared([Document("a", "same text here"), Document("b", "same text here")], drop="keep")
    assert len(result.documents) == 2
    assert result.near == (NearDuplicate("b", "a", 1.0),)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_documents_makes_no_difference(source: random.Random) -> None:
    documents = [Document(f"d{n:02}", changed(text_of(n % 4, 120), n % 5, n)) for n in range(16)]
    expected = compared(documents, drop="near", threshold=0.6)
    others = source.sample(documents, len(documents))
    assert compared(others, drop="near", threshold=0.6) == expected


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_pairs_above_the_threshold_are_found_and_those_below_are_not(threshold: float) -> None:
    source = random.Random(threshold)
    documents, expected = [], set()
    for n in range(150):
        one = text_of(n, 300)
        other = changed(one, source.randrange(0, 30), n)
        documents += [Document(f"{n:03}a", one), Document(f"{n:03}b", other)]
        if jaccard(one, other) >= threshold:
            expected.add(f"{n:03}b")
    found = {pair.document for pair in compared(documents, drop="keep", threshold=threshold).near}
    assert found == expected


def test_many_copies_of_one_template_cost_no_square_of_their_number() -> None:
    template = text_of(1, 200)
    documents = [Document(f"{n:04}", f"{template} row {n}") for n in range(1_500)]
    result = compared(documents, drop="near")
    assert len(result.documents) == 1
    assert set(result.duplicates.values()) == {"0000"}


def test_scripts_without_spaces_are_compared_by_sign() -> None:
    text = "".join(chr(0x4E00 + random.Random(1).randrange(3_000)) for _ in range(1)) + "".join(
        chr(0x4E00 + n * 7 % 5_000) for n in range(400)
    )
    other = text[:200] + "变" + text[201:]
    (pair,) = compared([Document("a", text), Document("b", other)]).near
    assert pair.similarity > 0.97


def test_texts_of_few_or_no_words_are_compared_too() -> None:
    documents = [
        Document("a", "yes"),
        Document("b", "Yes!"),
        Document("c", "..."),
        Document("d", "no"),
        Document("e", "…"),
    ]
    assert [(pair.document, pair.like) for pair in compared(documents).near] == [("b", "a")]


def test_signatures_are_remembered_and_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    documents = [Document("a", text_of(1)), Document("b", changed(text_of(1), 2)), Document("c", text_of(3))]
    first = compared(documents, cache=cache)
    with sqlite3.connect(cache) as db:
        assert db.execute("SELECT count(*) FROM text_signatures").fetchone() == (3,)
        db.execute("UPDATE text_signatures SET data = zeroblob(length(data))")
    assert compared(documents, cache=cache) == first
    assert compared(documents, cache=cache) == first
    cache.write_bytes(b"no database at all" * 100)
    assert compared(documents, cache=cache) == first


def test_what_is_kept_of_a_text_is_no_text(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    text = "the secret of the kettle is its lid " * 20
    compared([Document("a", text)], cache=cache)
    assert b"kettle" not in cache.read_bytes()


def test_the_sketches_estimate_the_similarity_of_the_shingles() -> None:
    errors = []
    for n in range(40):
        one = text_of(n)
        other = changed(one, n % 30, n)
        estimate = float((sketch(shingles(one)) == sketch(shingles(other))).mean())
        errors.append(estimate - jaccard(one, other))
    assert abs(sum(errors) / len(errors)) < 0.02
    assert max(map(abs, errors)) < 0.16


def test_lower_thresholds_take_shorter_bands() -> None:
    assert [rows_for(threshold) for threshold in (0.5, 0.9, 1.0)] == sorted(map(rows_for, (0.5, 0.9, 1.0)))
