"""What a case asks for, where a golden set mixes several kinds of work: its tag `task:NAME`.

A case without such a tag takes every measure that its fields allow. With one, measures that
have no meaning for the task do not apply to it.
"""

from __future__ import annotations

from genaiops.records import Case, NotApplicable

PREFIX = "task:"
CLASSIFICATION = "classification"  # the answer is a label, the reference the right one
TRANSLATION = "translation"  # the reference is a translation of the question's text
SUMMARIZATION = "summarization"  # the reference is a summary of the question's text
QUESTION = "question"
WORDED = frozenset({QUESTION, TRANSLATION, SUMMARIZATION})  # tasks whose answers are free text


def task_of(case: Case) -> str:
    """The task that the case's first `task:` tag names; "" without one."""
    return next((tag.removeprefix(PREFIX) for tag in case.tags if tag.startswith(PREFIX)), "")


def not_for(case: Case, tasks: frozenset[str]) -> NotApplicable | None:
    """Why a measure of these tasks does not apply to the case; None when it does."""
    task = task_of(case)
    return NotApplicable(f"the case is tagged {PREFIX}{task}") if task and task not in tasks else None
