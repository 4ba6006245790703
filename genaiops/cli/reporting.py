"""The reports that a command can be asked for, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.output import leave, note, print_json, say, show

if TYPE_CHECKING:
    from genaiops.delivery import Evaluated
    from genaiops.evaluation import Run
    from genaiops.records import Verdict

Html = Annotated[Path | None, typer.Option("--html", help="Also write the HTML report here.")]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write a Markdown report, at most 60 KB.")]
StepSummary = Annotated[
    Path | None, typer.Option("--step-summary", help="Add a longer Markdown report to $GITHUB_STEP_SUMMARY.")
]
ReportJson = Annotated[Path | None, typer.Option("--report-json", help="Write measures, cases and verdict as JSON.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write a line for each case for a spreadsheet.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where each report shall go; None for one that nobody asked for."""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    step_summary: Path | None = None
    report_json: Path | None = None
    csv: Path | None = None

    def write(
        self,
        run: Run,
        *,
        baseline: Run | None = None,
        verdict: Verdict | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Each report that was asked for, in one rename; a step's summary grows at its end, within its limit."""
        import json

        from genaiops.evaluation import reports
        from genaiops.files import add_to, storing, write_durably

        if self.html is not None:
            write_durably(self.html, reports.html_report(run, baseline=baseline, verdict=verdict, notes=notes))
        if self.junit is not None:
            write_durably(self.junit, reports.junit_report(run, verdict=verdict))
        if self.markdown is not None:
            text = reports.markdown_report(run, baseline=baseline, verdict=verdict, notes=notes)
            write_durably(self.markdown, text)
        if self.report_json is not None:
            data = reports.json_report(run, baseline=baseline, verdict=verdict, notes=notes)
            write_durably(self.report_json, json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
        if self.csv is not None:
            write_durably(self.csv, reports.csv_report(run))
        # Outside of GitHub its variable is unset, and the path empty.
        if self.step_summary is not None and self.step_summary != Path():
            # The limit is that of the file: a report that is too long would take down what others wrote into it.
            with storing(self.step_summary):
                self.step_summary.parent.mkdir(parents=True, exist_ok=True)
                present = self.step_summary.stat().st_size if self.step_summary.exists() else 0
            left = max(0, reports.STEP_SUMMARY - present)
            text = reports.markdown_report(run, baseline=baseline, verdict=verdict, notes=notes, limit=left)
            add_to(self.step_summary, text if len(text.encode()) <= left else "")


def print_scorecard(run: Run, *, baseline: Run | None = None) -> None:
    """The run's table, in the width of the terminal."""

    from genaiops.evaluation.passports import corrected_shares, correction_line
    from genaiops.evaluation.reactions import refusals_line
    from genaiops.evaluation.reports import terminal_table

    show(terminal_table(run, baseline=baseline))
    if refused := refusals_line(run):
        say(refused)
    for corrected in corrected_shares(run).values():
        if (corrected.low, corrected.high) != (0.0, 1.0):  # that would say nothing
            say(correction_line(corrected))


def leave_where_nothing_was_measured(run: Run) -> None:
    """Exit code 3 where no question was answered, or measurements failed and none has a value: a judge is down."""
    from genaiops.records import Unscored

    if all(result.error for result in run.results):
        note(f"no question was answered: {run.results[0].error}")
        leave(3)
    outcomes = [outcome for result in run.results for outcome in result.outcomes.values()]
    failed = next((outcome.reason for outcome in outcomes if isinstance(outcome, Unscored)), None)
    if failed is not None and not any(summary.scored for summary in run.summaries):
        note(f"nothing could be measured: {failed}")
        leave(3)


def tell_untracked(evaluated: Evaluated | None) -> int:
    """Say on stderr that a run is not in MLflow where it should be; the exit code of a command without a verdict."""
    if evaluated is None or evaluated.untracked is None:
        return 0
    note(f"error: run {evaluated.run.id} is kept, but not tracked: {evaluated.untracked}")
    return evaluated.untracked.exit_code


def print_report(run: Run, baseline: Run, notes: tuple[str, ...]) -> None:
    """One JSON value on stdout: the report in the shape of `--report-json`."""
    from genaiops.evaluation.reports import json_report

    print_json(json_report(run, baseline=baseline, notes=notes))
