"""The report for programs: JSON of a stable shape, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from genaiops.display import clean
from genaiops.evaluation.outcomes import outcome_to_json
from genaiops.evaluation.passports import corrected_shares
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports.changes import Change, changes, told_apart
from genaiops.evaluation.reports.circumstances import told_of
from genaiops.evaluation.reports.comparison import differences
from genaiops.evaluation.reports.rows import Row, rows_of
from genaiops.evaluation.waterfall import waterfall
from genaiops.golden_sets.tables import REPORTED, guarded
from genaiops.records import Score, Summary, Verdict, as_json

SCHEMA = "genaiops.report/1"  # counts up when a field changes its meaning or goes; fields may join at any time


def json_report(
    run: Run, *, baseline: Run | None = None, verdict: Verdict | None = None, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Measures, changes, cases and verdict as plain JSON data: docs/reports.md names every field.

    Cases are in the order of the HTML report, those to look at first. `changes`, `differences`
    and each case's `before` are there only with a baseline, `verdict` only with one.
    """
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run.id,
        "created_at": run.created_at,
        "flow": run.subject.flow,
        "digests": dict(run.subject.digests),
        "golden_set": {"name": run.golden_set, "digest": run.golden_set_digest, "cases": len(run.results)},
        "confidence": run.confidence,
        "judges": dict(run.judges),
        "passports": as_json(run.passports),
        "corrected": as_json(corrected_shares(run)),
        "notes": [*notes, *told_apart(run, baseline), *told_of(run)],
        "measures": {summary.measure: _measure(run, summary) for summary in run.summaries},
        "waterfall": dict(waterfall(run)),
        "cases": [_case(row) for row in rows_of(run, baseline)],
    }
    if baseline is not None:
        data["baseline"] = baseline.id
        data["changes"] = {name: _change(found) for name, found in changes(run, baseline).items()}
        data["differences"] = as_json(differences(baseline, run))
    if verdict is not None:
        data["verdict"] = as_json(verdict)
    return data


def _measure(run: Run, summary: Summary) -> dict[str, Any]:
    return {**as_json(summary), "coverage": summary.coverage, **as_json(run.scale(summary.measure))}


def _change(found: Change) -> dict[str, Any]:
    """The change with its open ends as null, which JSON can say and infinity it cannot."""
    low, high = (end if abs(end) != float("inf") else None for end in (found.low, found.high))
    ends = {"estimate": found.estimate, "low": low, "high": high}
    return {**ends, "cases": found.cases, "of": found.of, "verdict": found.word}


def _case(row: Row) -> dict[str, Any]:
    case = row.result.case
    data = {
        "id": case.id,
        "question": case.question,
        "kind": case.kind,
        "tags": list(case.tags),
        "reference": case.reference,
        "state": row.state,
        **_told(row.result),
        "changes": dict(row.changes),
    }
    return {**data, "before": _told(row.before)} if row.before else data


def _told(result: CaseResult) -> dict[str, Any]:
    answer = result.answer
    return {
        "answer": None if answer is None else answer.text,
        "refused": None if answer is None else answer.refused,
        "error": result.error,
        "outcomes": {name: outcome_to_json(outcome) for name, outcome in result.outcomes.items()},
        "sentences": {name: as_json(said) for name, said in result.verdicts.items()},
        "failure": as_json(result.failure),
        "reused": list(result.reused),
    }


def csv_report(run: Run) -> str:
    """One line a case: id, question, answer and so on, then one column a measure; nothing in it is a formula.

    A text that a spreadsheet could take for a formula begins with an apostrophe. A measurement that
    failed or does not apply leaves its cell empty; the reason stands in the JSON.
    """
    names = [summary.measure for summary in run.summaries]
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(_text(head) for head in (*REPORTED, *names))
    for row in rows_of(run):
        result, case = row.result, row.result.case
        answer = "" if result.answer is None else result.answer.text
        lost = result.failure.stage if result.failure else ""
        texts = (case.id, case.kind, ", ".join(case.tags), row.state, lost, case.question, answer, result.error)
        found = [result.outcomes.get(name) for name in names]
        values = [outcome.value if isinstance(outcome, Score) else "" for outcome in found]
        writer.writerow([*map(_text, texts), *values])
    return out.getvalue()


def _text(value: str) -> str:
    return guarded(clean(value))
