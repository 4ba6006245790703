"""The verdict of a gate on what was scored, and the record of it: --gate, --against and --keep of `score`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import Run, Subject
    from genaiops.promotion import Decision
    from genaiops.promotion.gate import GateSettings


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to become of a run: the gate that judges it, the run it is compared with, the name it is kept under.

    `passports` are those of the judges that hold now.
    """

    passports: Shelf
    gate: GateSettings | None = None
    champion: Run | None = None
    keep: str = ""

    @classmethod
    def of(cls, gate: Path | None, against: str, keep: str) -> Judged:
        """Everything is read before anything is asked. `latest` is the newest run that was kept under this name."""
        from genaiops.delivery import named_runs
        from genaiops.errors import ConfigurationError
        from genaiops.evaluation.passports.shelf import Shelf
        from genaiops.files import check_name
        from genaiops.project import Project
        from genaiops.promotion import load_gate

        if keep:
            check_name(keep, "application")
        if against and gate is None:
            raise ConfigurationError("--against names the run that a gate compares with", remedy="give --gate too")
        project = Project.find()
        settings = None if gate is None else load_gate(gate)
        champion = named_runs(project, (against,), flow=keep)[0] if against else None
        return cls(Shelf(project.passports), settings, champion, keep)

    def measures(self, named: Sequence[str] | None, chosen: Sequence[str]) -> list[str]:
        """Those that were named; else those that were chosen, and what the gate has rules about."""
        rules = () if self.gate is None else (rule.measure for rule in self.gate.rules)
        return list(named) if named else list(dict.fromkeys((*chosen, *rules)))

    def subject(self, **settings: object) -> Subject:
        """What the run says was measured: the application's name, and how it was asked."""
        from genaiops.evaluation.records import Subject

        return Subject(self.keep, {}, settings)

    def of_rows(self, run: Run) -> Run:
        """The run on rows, under the name it is kept by."""
        from genaiops.evaluation.runs import new_run

        return new_run(replace(run, subject=self.subject())) if self.keep else run

    def save(self, run: Run) -> Path | None:
        """The folder of the record; None where none is wanted."""
        from genaiops.project import Project

        return run.save(Project.find().runs) if self.keep else None

    def decision(self, run: Run) -> Decision | None:
        """The gate's verdict; None without a gate."""
        from genaiops.promotion import judge_run

        if self.gate is None:
            return None
        return judge_run(self.gate, run, self.champion, against="", passports=self.passports)
