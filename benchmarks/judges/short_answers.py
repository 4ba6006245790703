"""The probe of short answers, in short_answers.jsonl: written for this project, one question with its answers a line.

`right` answers are of the kind asked for, true or not; the others are of a wrong kind,
answer another question, evade, or repeat the question. The half of the questions that
`fitted_on` picks was looked at while the rules for short answers were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.judges.data import rows
from benchmarks.judges.fit_relevance import fitted_on

PROBE = Path(__file__).with_name("short_answers.jsonl")
RIGHT = "right"
WRONG = ("wrong_kind", "another_question", "evasion", "repeated")


@dataclass(frozen=True, slots=True)
class Short:
    """A short answer to a question, and what kind of answer it is: RIGHT or one of WRONG."""

    question: str
    answer: str
    kind: str


def short_answers(*, designed_on: bool) -> list[Short]:
    """The answers to the half of the questions that the rules were made on, or to the other half."""
    return [
        Short(row["question"], answer, kind)
        for row in rows(PROBE)
        if fitted_on(row["question"]) == designed_on
        for kind in (RIGHT, *WRONG)
        for answer in row[kind]
    ]
