"""What is known of the judges of a run, a line each."""

from __future__ import annotations

from genaiops.evaluation.passports import corrected_shares, correction_line, passport_line
from genaiops.evaluation.records import Run


def judge_lines(run: Run, *, compared: bool = False) -> list[tuple[str, str]]:
    """(measure, its judge's passport in a line) for every measure that a judge decided, and what follows from it.

    A passport that no longer holds, and a judge without one, are told as such; shares that can be
    corrected for the known error of their judge follow as lines of their own, which in a report that has a baseline
    too (`compared`) say that they are of this run.
    """
    lines = []
    corrected = corrected_shares(run)
    for measure, judge in run.judges.items():
        passport = run.passports.get(measure)
        if passport is None:
            lines.append((measure, "no passport: not compared with people"))
            continue
        refused = passport.refusal(judge)
        lines.append((measure, passport_line(passport) + (f"; does not hold: {refused}" if refused else "")))
        if measure in corrected:
            line = correction_line(corrected[measure]).removeprefix(f"{measure}: ")
            lines.append((measure, f"in this run {line}" if compared else line))
    return lines
