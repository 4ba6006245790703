"""The verdict of a gate on what was scored, and the record of it: --gate, --against and --keep of `score`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.delivery.evaluating import Evaluated
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import Run, Subject
    from genaiops.project import Project
    from genaiops.promotion import Decision
    from genaiops.promotion.gate import GateSettings


@dataclass(slots=True)
class Saved:
    """The record of a run; None where none is wanted."""

    evaluated: Evaluated | None = None


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
        """Everything is read before anything is asked.

        `latest` is the newest run kept under this name that may be a champion: what failed the gate must not be what
        the next try is compared with.
        """
        from genaiops.delivery import named_runs
        from genaiops.delivery.judged_runs import verdict_of
        from genaiops.errors import ConfigurationError
        from genaiops.evaluation.passports.shelf import Shelf
        from genaiops.project import Project
        from genaiops.promotion import load_gate
        from genaiops.promotion.comparability import may_be_champion

        if against and gate is None:
            raise ConfigurationError("--against names the run that a gate compares with", remedy="give --gate too")
        project = Project.find()
        if keep:
            _check_name(project, keep)
        settings = None if gate is None else load_gate(gate)
        champion = None
        if against and settings is not None:

            def counts(run: Run) -> bool:
                return may_be_champion(settings, replace(run, verdict=verdict_of(project, run)))

            (champion,) = named_runs(project, (against,), flow=keep, counts=counts)
        return cls(Shelf(project.passports), settings, champion, keep)

    def measures(self, named: Sequence[str] | None, chosen: Sequence[str]) -> list[str]:
        """Those that were named; else those that were chosen, and what the gate has rules about."""
        rules = () if self.gate is None else (rule.measure for rule in self.gate.rules)
        return list(named) if named else list(dict.fromkeys((*chosen, *rules)))

    def unmeasured(self, named: Sequence[str] | None) -> tuple[str, ...]:
        """What the gate has rules about, but those who named the measures left out."""
        rules = () if self.gate is None or not named else (rule.measure for rule in self.gate.rules)
        return tuple(dict.fromkeys(measure for measure in rules if measure not in (named or ())))

    def subject(self, **settings: object) -> Subject:
        """What the run says was measured: the application's name, and how it was asked."""
        from genaiops.evaluation.records import Subject

        return Subject(self.keep, {}, settings)

    def of_rows(self, run: Run) -> Run:
        """The run on rows, under the name it is kept by."""
        from genaiops.evaluation.runs import new_run

        return new_run(replace(run, subject=self.subject())) if self.keep else run

    def keeping(self) -> AbstractContextManager[None]:
        """What to hold from the asking to the save: a run written while a document is erased would bring it back."""
        from genaiops.files import locked
        from genaiops.project import Project

        return locked(Project.find().lock, shared=True, what="cleans up or erases") if self.keep else nullcontext()

    @contextmanager
    def saved(self, run: Run, decision: Decision | None) -> Iterator[Saved]:
        """The record, which says the verdict, with its report, at once; tracked as the runs of flows are at the end.

        A tracking store may be slow or gone: what the block prints and writes waits for none.
        """
        from genaiops.delivery.evaluating import Evaluated, track_run, write_report
        from genaiops.project import Project

        saved = Saved()
        if not self.keep:
            yield saved
            return
        project = Project.find()
        kept = replace(run, verdict="" if decision is None else decision.verdict)
        saved.evaluated = Evaluated(kept, kept.save(project.runs))
        report = write_report(saved.evaluated, verdict=decision)
        try:
            yield saved
        finally:
            saved.evaluated = track_run(project, saved.evaluated, report)

    def decision(self, run: Run) -> Decision | None:
        """The gate's verdict; None without a gate."""
        from genaiops.promotion import judge_run

        if self.gate is None:
            return None
        return judge_run(self.gate, run, self.champion, against="", passports=self.passports)


def _check_name(project: Project, name: str) -> None:
    """ConfigurationError for a name that cannot be, or that means runs of something else already."""
    from genaiops.errors import ConfigurationError
    from genaiops.files import check_name

    taken = {"latest": "the newest run", **dict.fromkeys(project.settings.environments, "an environment")}
    taken |= dict.fromkeys(_flows(project), "a flow")
    if found := taken.get(check_name(name, "application")):
        raise ConfigurationError(
            f"--keep {name}: in this project that is the name of {found}",
            remedy=f"another name, for example --keep {f'{name[:60]}-app'}",
        )


def _flows(project: Project) -> set[str]:
    """The names of the project's flows: those that were built, wherever they lie, and those below flows/."""
    from genaiops.configuration import read_yaml
    from genaiops.errors import ConfigurationError

    found = {path.name for path in project.flows.iterdir()} if project.flows.is_dir() else set()
    for file in (project.root / "flows").glob("*/flow.yaml"):
        found.add(file.parent.name)
        try:
            found.add(str(read_yaml(file, "flow").data.get("name", "")))
        except ConfigurationError:  # whoever works with that flow will be told
            continue
    return found
