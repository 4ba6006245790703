from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import GoldenSetError
from genaiops.golden_sets import GoldenSet, Problem, check, lint
from genaiops.records import Case, Document, Evidence

RUNS = Document("guide/runs.md", "# Runs\n\nA run is one evaluation.\nIt is never “edited”.\n\nSee also: run, run.")
GATES = Document("guide/gates.md", "A gate says pass, fail or inconclusive.")


def problems(*cases: Case) -> list[Problem]:
    return lint(GoldenSet("mine", cases, tuple(range(1, len(cases) + 1))), [RUNS, GATES])


def quoting(quote: str, document: str = "guide/runs.md") -> Case:
    return Case("a", "What is a run?", evidence=(Evidence(document, quote),))


def test_a_quote_that_occurs_once_is_no_problem() -> None:
    assert problems(quoting("A run is one evaluation.\nIt is")) == []


def test_a_quote_in_another_document_says_in_which() -> None:
    (problem,) = problems(quoting("A gate says pass"))
    assert (problem.case_id, problem.line, problem.severity) == ("a", 1, "error")
    assert problem.what == "'A gate says pass' does not occur in guide/runs.md"
    assert problem.remedy == "it occurs in guide/gates.md"


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("A run is one evaluation. It is", "line 3: 'A run is one evaluation.\\nIt is'"),
        ("a run is one Evaluation", "line 3: 'A run is one evaluation'"),
        ('is never "edited"', "line 4: 'is never “edited'"),
    ],
)
def test_a_quote_that_differs_in_whitespace_case_or_punctuation_says_so(quote: str, stands: str) -> None:
    (problem,) = problems(quoting(quote))
    assert problem.severity == "error"
    assert problem.remedy == f"but for case, whitespace or punctuation it stands on {stands}"


def test_a_quote_found_nowhere_says_to_copy_it() -> None:
    (problem,) = problems(quoting("A run is two evaluations"))
    assert problem.severity == "error"
    assert "copy the quote" in problem.remedy


def test_a_missing_document_names_the_closest() -> None:
    (problem,) = problems(quoting("nowhere at all", "guide/run.md"))
    assert problem.what == "there is no document 'guide/run.md' among 2"
    assert problem.remedy == "did you mean 'guide/runs.md'?"


def test_a_document_that_was_moved_is_found_by_its_name() -> None:
    (problem,) = problems(quoting("nowhere at all", "a/very/different/folder/gates.md"))
    assert problem.remedy == "did you mean 'guide/gates.md'?"


def test_a_missing_document_whose_quote_occurs_elsewhere_names_the_place() -> None:
    (problem,) = problems(quoting("A gate says", "old.md"))
    assert problem.remedy == "it occurs in guide/gates.md"


def test_a_quote_that_occurs_twice_is_a_warning() -> None:
    assert problems(quoting("run,")) == []
    (problem,) = problems(quoting("run"))
    assert problem.severity == "warning"
    assert problem.what == "'run' occurs 3 times in guide/runs.md"


def test_the_same_question_twice_is_an_error_and_almost_the_same_a_warning() -> None:
    found = problems(
        Case("a", "How many cases does the gate need?", reference="x"),
        Case("b", "how many cases does the gate need", reference="x"),
        Case("c", "How many cases does the gate really need?", reference="x"),
        Case("d", "Where are the runs kept?", reference="x"),
    )
    assert [(p.case_id, p.severity) for p in found] == [("b", "error"), ("c", "warning"), ("c", "warning")]
    assert "same question as case 'a'" in found[0].what


def test_questions_without_words_are_compared_too() -> None:
    found = problems(Case("a", "???", reference="x"), Case("b", "!!!", reference="x"), Case("c", "???", reference="x"))
    assert [(p.case_id, p.severity) for p in found] == [("c", "error")]


def test_a_set_without_refusals_and_one_of_refusals_are_warned_of() -> None:
    answerable = [Case(f"a{n}", f"question number{n} about {n * 7}?", reference="x") for n in range(12)]
    refusals = [Case(f"r{n}", f"riddle number{n} of {n * 11}?", "unanswerable") for n in range(12)]
    assert "invented answers hardly show" in problems(*answerable)[-1].what
    assert "answers nothing looks good" in problems(*refusals)[-1].what
    assert problems(*answerable, *refusals[:4]) == []


def test_check_raises_all_errors_at_once_and_lets_warnings_pass() -> None:
    check(GoldenSet("mine", (quoting("run"),)), [RUNS])
    broken = GoldenSet("mine", (quoting("xyz"), Case("b", "Other?", evidence=(Evidence("no.md", "q"),))), (4, 9))
    with pytest.raises(GoldenSetError) as raised:
        check(broken, [RUNS, GATES])
    assert raised.value.what == "2 problems in golden set 'mine'"
    assert "case a (line 4): 'xyz' does not occur" in raised.value.remedy
    assert "case b (line 9): there is no document 'no.md'" in raised.value.remedy


def test_documents_may_come_from_a_generator(tmp_path: Path) -> None:
    assert lint(GoldenSet("mine", (quoting("A run is"),)), (document for document in [RUNS])) == []
