"""An application that is asked over HTTP: the options of `score --url`, and the asking."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.cli.output import note, stages

if TYPE_CHECKING:
    from genaiops.cli.verdicts import Judged
    from genaiops.evaluation.http_application import HttpApplication
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.rows import AnswerRow
    from genaiops.evaluation.tools import Tools


_VOTES = "--set votes=3 lets a judge that is a language model vote, and keeps how far its votes are apart"


@dataclass(frozen=True, slots=True)
class Http:
    """The options of an application that is asked over HTTP; `url` is empty when none is."""

    url: str
    questions: Path | None
    part: str
    paths: tuple[str, ...]
    body: str
    headers: tuple[str, ...]
    timeout: float
    workers: int
    repeat: int | None = None

    def check(self, file: Path | None) -> None:
        """Refuse options that do not go together, with what to write instead."""
        from genaiops.errors import ConfigurationError
        from genaiops.evaluation.row_runs import ANSWERED

        if self.url:
            if file is not None or self.questions is None:
                raise ConfigurationError(
                    "an application needs questions, and no rows",
                    remedy="genaiops score --url ADDRESS --questions FILE",
                )
            self.application()
            return
        idle = {
            "--questions": self.questions, "--split": self.part, "--jmespath": self.paths, "--body": self.body,
            "--header": self.headers,
        }  # fmt: skip
        given = next((name for name, value in idle.items() if value), "")
        if self.repeat is not None:
            raise ConfigurationError(f"--repeat is for an application that is asked: {ANSWERED}", remedy=_VOTES)
        if given:
            raise ConfigurationError(f"{given} is for an application that is asked", remedy="give --url too")
        if file is None:
            raise ConfigurationError(
                "there is nothing to score", remedy="genaiops score FILE, or --url and --questions"
            )

    def check_part(self, rows: list[AnswerRow] | None) -> None:
        """Refuse a part of what has none."""
        from genaiops.errors import ConfigurationError

        if self.part and rows is not None:
            raise ConfigurationError(
                f"{self.questions} is no golden set, so it has no part {self.part!r}",
                remedy="leave --split away, or give a divided golden set: genaiops golden split FLOW",
            )

    def application(self) -> HttpApplication:
        from genaiops.errors import ConfigurationError
        from genaiops.evaluation.http_application import DEFAULT_BODY, HttpApplication, Manner
        from genaiops.evaluation.reply_paths import parsed_paths

        try:
            posted = json.loads(self.body) if self.body else DEFAULT_BODY
        except (ValueError, RecursionError) as error:
            remedy = 'for example {"q": "{question}"}'
            raise ConfigurationError(f"--body is not JSON: {error}", remedy=remedy) from None
        given = [header.partition(":") for header in self.headers]
        if any(not colon or not name.strip() for name, colon, _ in given):
            raise ConfigurationError("--header needs NAME: VALUE", remedy="--header 'Authorization: Bearer ${API_KEY}'")
        manner = Manner(posted, {name.strip(): value.strip() for name, _, value in given}, self.timeout)
        return HttpApplication(self.url, parsed_paths(self.paths) if self.paths else None, manner=manner)

    def run(
        self, rows: list[AnswerRow] | None, named: list[str] | None, tools: Tools, judged: Judged
    ) -> tuple[Run, str]:
        """The questions asked and the answers measured, and what a reply without contexts held ("" where none was).

        Without rows, the golden set is asked.
        """
        from genaiops.evaluation import DEFAULT_MEASURES
        from genaiops.evaluation.row_runs import ask_and_score, asked_measures

        assert self.questions is not None  # see check
        repeats = max(self.repeat or 1, judged.gate.repeats if judged.gate else 1)  # as `gate` asks a flow
        measures = judged.measures(named, DEFAULT_MEASURES if rows is None else asked_measures(rows))
        with closing(self.application()) as application, stages("asking") as told:
            subject = judged.subject(url=application.shown, jmespath=list(self.paths))
            if rows is not None:
                run = ask_and_score(
                    application, rows, measures, name=self.questions.name, workers=self.workers, tools=tools,
                    repeats=repeats, progress=told, passports=judged.passports, subject=subject,
                )  # fmt: skip
            else:
                run = self._on_golden_set(
                    application, measures=measures, tools=tools, repeats=repeats, progress=told,
                    passports=judged.passports, subject=subject,
                )  # fmt: skip
        return run, application.without_contexts

    def _on_golden_set(self, application: HttpApplication, **options: Any) -> Run:
        """One part of a divided set (dev, unless --split names another); a look at the holdout is counted first."""
        from genaiops.delivery.golden_parts import count_look_at
        from genaiops.evaluation import evaluate
        from genaiops.golden_sets import GoldenSet, Places
        from genaiops.golden_sets.splitting import ALL, part_of_set, read_split
        from genaiops.project import Project

        assert self.questions is not None  # see check
        places = Places.of(self.questions)
        golden, part = part_of_set(GoldenSet.load(self.questions), read_split(places.split), self.part)
        run = evaluate(application, golden, workers=self.workers, **options)
        # Looks are counted where the golden set lies, from whichever folder it is asked.
        project = Project.find(places.golden.parent)
        run = count_look_at(project, self.questions, run, part, asked=application.shown)
        if part:
            only = "all of it was" if part == ALL else f"only the {part} part was"
            looks = f", look {run.holdout_looks} at the holdout" if run.holdout_looks else ""
            note(f"golden set {golden.name} is divided: {only} asked{looks}")
        return run
