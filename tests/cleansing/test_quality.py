"""The report counts what was read, and a bar that is missed says every reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from genaiops.cleansing import NearDuplicate, QualityBar, QualityCounter, QualityReport, lines, missed
from genaiops.cleansing.near_duplicates import Compared
from genaiops.cleansing.quality import ChunkLengths
from genaiops.configuration import validated_data
from genaiops.documents import Quarantined
from genaiops.errors import ConfigurationError
from genaiops.records import Document, Edit, as_json

DOCUMENTS = (
    Document("a", "x", {"language": "en", "title": "A", "product": "k"}, edits=(Edit(0, 7, 0, 9, "redacted:email"),)),
    Document("b", "x", {"language": "en", "title": "", "flags": ["injection", "hidden_text"]}),
    Document("c", "x", {"language": "de", "title": "C"}, edits=(Edit(0, 1, 0, 2, "encoding+redacted:phone"),)),
)
LEFT_OUT = (
    Quarantined("d", "is empty", "empty"),
    Quarantined("e", "holds a secret", "secret"),
    Quarantined("f", "broken"),
)
COMPARED = Compared(
    DOCUMENTS,
    (Quarantined("g", "says the same as 'a'", "duplicate"),),
    {"g": "a"},
    (NearDuplicate("b", "a", 0.95), NearDuplicate("g", "a", 0.99, dropped=True)),
)


def quality_report(documents: Sequence[Document], *, chunk_lengths: Sequence[int] = ()) -> QualityReport:
    counter = QualityCounter()
    for document in documents:
        counter.add_document(document)
    counter.add_chunks(chunk_lengths)
    return counter.report()


def report() -> QualityReport:
    counter = QualityCounter()
    for document in DOCUMENTS:
        counter.add_document(document)
    counter.add_quarantined([*LEFT_OUT, *COMPARED.quarantined])
    counter.add_near(COMPARED.near)
    counter.add_chunks(range(1, 101))
    return counter.report()


def bar(**settings: object) -> QualityBar:
    return validated_data(QualityBar, settings, where=str)


def test_everything_is_counted_once() -> None:
    assert as_json(report()) == {
        "documents_in": 7,
        "kept": 3,
        "quarantined": {"duplicate": 1, "empty": 1, "secret": 1, "unreadable": 1},
        "duplicates": 1,
        "near_duplicates": 1,
        "empty": 1,
        "redactions": {"email": 1, "phone": 1},
        "repairs": {"encoding": 1},
        "missing": {"product": 2, "title": 1},
        "languages": {"de": 1, "en": 2},
        "flags": {"hidden_text": 1, "injection": 1},
        "flagged": 1,
        "chunks": {"count": 100, "min": 1, "p5": 5, "median": 50, "p95": 95, "max": 100},
    }


def test_a_report_without_anything_is_a_report() -> None:
    empty = quality_report(())
    assert (empty.documents_in, empty.chunks) == (0, None)
    assert lines(empty) == ["documents      0 in, 0 kept"]


def test_a_counter_that_is_fed_in_parts_says_the_same() -> None:
    counter = QualityCounter()
    for document in reversed(DOCUMENTS):
        counter.add_document(document)
    for item in (*LEFT_OUT, *COMPARED.quarantined):
        counter.add_quarantined([item])
    counter.add_near(COMPARED.near)
    for part in (range(50, 101), range(1, 50)):
        counter.add_chunks(part)
    assert counter.report() == report()


def test_an_empty_bar_asks_for_nothing() -> None:
    assert missed(QualityBar(), report()) == ()
    assert missed(QualityBar(), quality_report(())) == ()


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ({"min_documents": 3}, ()),
        ({"min_documents": 4}, ("documents kept: 3 < min_documents 4",)),
        ({"max_quarantined_share": 0.43}, ()),
        ({"max_quarantined_share": 0.4}, ("quarantined: 3 of 7 (0.429) > max_quarantined_share 0.4",)),
        ({"max_quarantined": {"secret": 0, "empty": 1}}, ("quarantined as secret: 1 > max_quarantined 0",)),
        ({"max_duplicate_share": 0.1}, ("duplicates: 1 of 7 (0.143) > max_duplicate_share 0.1",)),
        ({"max_near_duplicate_share": 0.3}, ("near duplicates: 1 of 3 (0.333) > max_near_duplicate_share 0.3",)),
        ({"max_flagged_share": 0.0}, ("flagged: 1 of 3 (0.333) > max_flagged_share 0",)),
        ({"max_redactions": 1}, ("redactions: 2 > max_redactions 1",)),
        ({"languages": ["en", "de"]}, ()),
        (
            {"languages": ["en"], "max_other_language_share": 0.1},
            ("languages other than en: 1 of 3 (0.333) > max_other_language_share 0.1",),
        ),
        ({"min_chunk_p5": 6}, ("chunk length p5: 5 < min_chunk_p5 6",)),
        ({"max_chunk_p95": 94}, ("chunk length p95: 95 > max_chunk_p95 94",)),
    ],
)
def test_a_bar_is_held_or_missed_with_both_numbers(settings: dict[str, object], reasons: tuple[str, ...]) -> None:
    assert missed(bar(**settings), report()) == reasons


def test_all_reasons_are_told_at_once() -> None:
    assert len(missed(bar(min_documents=9, max_redactions=0, max_flagged_share=0.0, min_chunk_p5=50), report())) == 4


def test_what_was_not_measured_misses_the_bar() -> None:
    asked = bar(max_quarantined_share=1.0, max_flagged_share=1.0, languages=["en"], min_chunk_p5=1)
    reasons = missed(asked, quality_report(()))
    assert len(reasons) == 4
    assert all("not measured" in reason for reason in reasons)
    unknown = quality_report([Document("a", "x")], chunk_lengths=[5])
    assert missed(bar(languages=["en"]), unknown) == ("languages: not measured; set cleansing.language: true",)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_quarantined_share": 1.5}, "max_quarantined_share"),
        ({"max_quarantined": {"secrets": 0}}, "no kind 'secrets'"),
        ({"max_quarantined": {"secret": -1}}, "at least 0"),
        ({"min_document": 3}, "min_document"),
    ],
)
def test_a_wrong_bar_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        bar(**wrong)


def test_the_report_reads_as_one_fact_per_line() -> None:
    assert lines(report()) == [
        "documents      7 in, 3 kept",
        "quarantined    duplicate 1, empty 1, secret 1, unreadable 1",
        "redacted       email 1, phone 1",
        "repaired       encoding 1",
        "flagged        hidden_text 1, injection 1",
        "languages      en 2, de 1",
        "missing        product 2, title 1",
        "near copies    1",
        "chunks         100, characters: min 1, p5 5, median 50, p95 95, max 100",
    ]


def test_a_single_chunk_is_all_its_percentiles() -> None:
    assert quality_report((), chunk_lengths=[7]).chunks == ChunkLengths(1, 7, 7, 7, 7, 7)
