"""What each code of lint is for: one set that has the fault, one that has not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Vectors
from genaiops.errors import ConfigurationError, GoldenSetError
from genaiops.golden_sets import CHECKS, GoldenSet, Problem, lint
from genaiops.golden_sets.linting.coverage import coverage_of
from genaiops.golden_sets.linting.questions import names_something
from genaiops.golden_sets.pins import NO_PINS, Pins, read_pins, write_pins
from genaiops.records import Case, Document, Evidence

RUNS = """\
# Runs

Every run keeps the digest of the golden set that it used.

## Where runs lie

Runs lie in the folder runs of the state folder, one folder for each run, until somebody
removes them by hand or the clean-up does it after thirty days.
"""
GATES = """\
# Gates

A gate says pass, fail or inconclusive, and it gives every reason for its verdict at once to whoever asked for it, in
the order of its rules.
"""
DOCUMENTS = [Document("runs.md", RUNS), Document("gates.md", GATES)]
DIGEST = Evidence("runs.md", "Every run keeps the digest of the golden set that it used.")


def found(*cases: Case, documents: Sequence[Document] = DOCUMENTS, **options: object) -> list[Problem]:
    """All findings but what no case asks about: these sets are of one case or two."""
    options = {"ignore": ["uncovered"], **options}
    golden = GoldenSet("mine", cases, tuple(range(1, len(cases) + 1)))
    return lint(golden, documents, **options)  # type: ignore[arg-type]


def codes(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.case_id, problem.code, problem.severity) for problem in problems]


def asking(question: str = "What does a run keep of the golden set?", *evidence: Evidence, name: str = "a") -> Case:
    return Case(name, question, reference="Its digest.", evidence=evidence or (DIGEST,))


def test_a_sound_case_has_no_finding_and_every_finding_a_known_code() -> None:
    assert found(asking()) == []
    assert {problem.code for problem in found(asking("?"), asking("!", name="b"))} <= set(CHECKS)


def test_codes_can_be_left_out_and_unknown_ones_are_told() -> None:
    broken = asking("What is kept?", Evidence("runs.md", "no such words"))
    assert codes(found(broken)) == [("a", "unwinnable", "error")]
    assert found(broken, ignore=["unwinnable", "uncovered"]) == []
    with pytest.raises(ConfigurationError, match="no finding 'stalled'"):
        found(broken, ignore=["stalled"])


# --- stale ----------------------------------------------------------------------


def pins_of(*cases: Case) -> Pins:
    return NO_PINS.with_cases(cases, {d.id: d.text for d in DOCUMENTS}, by="ada", at="2027-01-02T03:04:05+00:00")


def test_a_passage_that_changed_around_its_quote_is_stale() -> None:
    pins = pins_of(asking())
    changed = RUNS.replace("# Runs\n", "# Runs\n\nThis no longer holds since version 3.")
    (problem,) = found(asking(), documents=[Document("runs.md", changed)], pins=pins)
    assert (problem.code, problem.severity) == ("stale", "warning")
    assert "since 2027-01-02" in problem.what
    assert "golden lock FLOW --case a" in problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        RUNS.replace("one folder for each run", "two of them"),  # another section
        RUNS.replace("\n\n", "\n\n\n").replace("Every run", "  Every run"),  # white space
        RUNS + "\n## More\n\nMuch more.\n",
    ],
)
def test_changes_elsewhere_in_the_document_are_not_stale(text: str) -> None:
    assert found(asking(), documents=[Document("runs.md", text)], pins=pins_of(asking())) == []


def test_a_case_that_was_edited_or_never_accepted_is_not_stale() -> None:
    changed = [Document("runs.md", RUNS.replace("# Runs", "# Runs\n\nNot so."))]
    assert found(asking(), documents=changed) == []
    assert found(asking(), documents=changed, pins=pins_of(asking("What did it keep of the set?"))) == []


def test_a_lock_file_comes_back_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "golden.lock.json"
    assert read_pins(path) == NO_PINS
    write_pins(path, pins_of(asking(), asking(name="\x1b\u2028b")))
    assert read_pins(path) == pins_of(asking(), asking(name="\x1b\u2028b"))
    assert path.read_text().count("\n") == 4  # a case a line
    for content in ('{"version": 3, "cases": {}}', "{", '{"version": 1, "cases": {"a": 1}}', "\xff"):
        path.write_text(content, encoding="latin-1")
        with pytest.raises(GoldenSetError, match="lock file cannot be used"):
            read_pins(path)


def test_pins_of_a_document_go_with_it() -> None:
    other = Case("b", "Gate?", evidence=(Evidence("gates.md", "A gate says pass"),))
    assert list(pins_of(asking(), other).without(document="runs.md").cases) == ["b"]
    assert list(pins_of(asking(), other).without(["b"]).cases) == ["a"]


# --- near_duplicate by meaning ----------------------------------------------------


def test_questions_that_mean_the_same_are_told_once_and_only_with_an_embedder() -> None:
    same = {"How big is it?": 0.0, "What size does it have?": 0.1, "Who made the thing?": 1.5}
    cases = [Case(f"c{n}", question, reference="x") for n, question in enumerate(same)]

    def embed(texts: Sequence[str]) -> Vectors:
        angles = np.array([same[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    near = [p for p in found(*cases, embed=embed) if p.code == "near_duplicate"]
    assert codes(near) == [("c1", "near_duplicate", "warning")]
    assert "asks what case 'c0' asks, 'How big is it?' (cosine 1.00)" in near[0].what or "0.99" in near[0].what
    assert not [p for p in found(*cases) if p.code == "near_duplicate"]
    by_words = [
        Case("d0", "How big is the red box?", reference="x"),
        Case("d1", "How big is the big red box?", reference="x"),
    ]
    same |= {case.question: 0.0 for case in by_words}
    assert len(found(*by_words, embed=embed)) == 1


# --- ambiguous --------------------------------------------------------------------


def test_a_quote_that_another_document_holds_too_is_ambiguous() -> None:
    copy = "# Notes\n\nEvery run keeps the digest of the golden set it used."
    (problem,) = found(asking(), documents=[*DOCUMENTS, Document("notes.md", copy)])
    assert (problem.code, problem.severity) == ("ambiguous", "warning")
    assert "in notes.md too" in problem.what
    both = (DIGEST, Evidence("notes.md", "Every run keeps the digest of the golden set it used."))
    assert found(asking("What does a run keep?", *both), documents=[*DOCUMENTS, Document("notes.md", copy)]) == []


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How does it work?", False),
        ("What does this mean?", False),
        ("What happens then?", False),
        ("Why?", False),
        ("What is a run?", True),
        ("When does it expire?", False),
        ("How do I rotate the keys when they leak?", True),
        ("Was kostet die Reise?", True),
        ("期限はいつですか", True),
        ("What is 42?", True),
    ],
)
def test_questions_without_a_subject_are_ambiguous(question: str, names: bool) -> None:
    assert names_something(question) is names
    flagged = [p for p in found(asking(question)) if p.code == "ambiguous"]
    assert bool(flagged) is not names


def test_a_question_that_wants_a_refusal_may_name_nothing() -> None:
    assert found(Case("a", "Why?", "unanswerable")) == []


# --- leaked -----------------------------------------------------------------------

PROMPT = """\
system:
Answer like this.

Q: {question}
A: {reference}

user:
{{{{ question }}}}
"""


@pytest.mark.parametrize(
    "question",
    [
        "What does a run keep of the golden set?",
        "what does a run keep of the golden set",
        "What does any run keep of the golden set?",
    ],
)
def test_a_question_in_a_few_shot_example_is_leaked_in_its_words_and_almost(question: str) -> None:
    prompts = {"shots": PROMPT.format(question=question, reference="…")}
    (problem,) = found(asking(), prompts=prompts)
    assert (problem.code, problem.severity) == ("leaked", "error")
    assert "prompt 'shots' holds its question" in problem.what


def test_a_reference_in_a_few_shot_example_is_leaked_and_a_short_one_may_stand_anywhere() -> None:
    told = "It keeps the digest of the golden set that it used."
    case = Case("a", "What does a run keep?", reference=told, evidence=(DIGEST,))
    (problem,) = found(case, prompts={"shots": PROMPT.format(question="Another?", reference=told)})
    assert problem.code == "leaked" and "holds its reference" in problem.what
    short = Case("a", "What does a run keep?", reference="The digest.", evidence=(DIGEST,))
    assert found(short, prompts={"shots": PROMPT.format(question="Another?", reference="The digest.")}) == []


# --- uncovered --------------------------------------------------------------------


def left_out(*cases: Case, documents: Sequence[Document] = DOCUMENTS) -> list[tuple[str, str]]:
    problems = [p for p in found(*cases, documents=documents, ignore=()) if p.code == "uncovered"]
    assert not any(p.case_id or p.line for p in problems)
    return [(p.severity, p.what) for p in problems]


SUBJECTS = ("cats", "dogs", "trains", "ships", "planes", "houses", "trees", "stones", "rivers", "clouds")
OPEN = ("note", "no case asks about 1 section of runs.md: 'Where runs lie'")


def test_documents_without_a_case_are_a_warning_for_a_set_of_some_size_and_a_note_for_a_small_one() -> None:
    cases = [asking(f"What do {subject} keep of golden sets?", name=subject) for subject in SUBJECTS]
    bare = "1 of 2 documents have no case: gates.md"
    assert left_out(*cases) == [("warning", bare), OPEN]
    assert left_out(*cases[:9]) == [("note", bare), OPEN]
    assert left_out(cases[0]) == [("note", bare), OPEN]
    without = [Case(case.id, case.question, reference="x") for case in cases]
    assert left_out(*without) == [("note", "2 of 2 documents have no case: runs.md, gates.md")], "nobody labelled any"


SHORT = """\
# Returns

## Deadline

A parcel can come back within thirty days of its delivery.

## Cost

From abroad the customer pays for the parcel that comes back.

## See also

Shipping and duties.
"""


def test_short_sections_count_where_a_case_quotes_a_short_one() -> None:
    quoted = Evidence("short.md", "A parcel can come back within thirty days of its delivery.")
    short = [Document("short.md", SHORT)]
    assert left_out(asking("When can parcels come back?", quoted), documents=short) == [
        ("note", "no case asks about 1 section of short.md: 'Cost'")
    ]
    both = [*DOCUMENTS, *short]
    coverage = coverage_of(GoldenSet("mine", (asking(),)), {d.id: d.text for d in both})
    assert (coverage.least_words, coverage.sections, coverage.sections_covered) == (8, 5, 1)
    assert coverage.line() == "cases quote 1 of 3 documents, 1 of 5 sections of 8 words or more"
    runs = Evidence("runs.md", "removes them by hand or the clean-up does it after thirty days.")
    long = coverage_of(GoldenSet("mine", (asking("Where?", runs),)), {d.id: d.text for d in both})
    assert (long.least_words, long.sections, long.sections_covered) == (20, 2, 1)


def test_documents_that_are_too_short_to_tell_are_said_to_be() -> None:
    coverage = coverage_of(GoldenSet("mine", (Case("a", "When?", reference="x"),)), {"short.md": SHORT})
    assert coverage.line() == (
        "cases quote 0 of 1 document; no heading has 25 words under it, too little to tell which topics have no case"
    )
    assert coverage_of(GoldenSet("mine", (asking(),)), {}).line().startswith("cases quote 0 of 0 documents")
