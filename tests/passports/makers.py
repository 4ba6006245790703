"""A judge made of words alone, labels it agrees with or not, and passports of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from genaiops.evaluation.passports import Labelled, Passport, calibrate
from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic
from genaiops.records import NotApplicable, Outcome, Score, digest_of

DAY = date(2026, 11, 21)
UNTIL = date(2027, 11, 21)


@dataclass(frozen=True)
class WordJudge:
    """Calls an answer as good as the number in it: "0.8"; not applicable to an answer without one."""

    name: str = "groundedness"
    version: int = 1
    unit_interval: ClassVar[bool] = True
    statistic: ClassVar[Statistic] = "mean"

    def __str__(self) -> str:
        return self.name

    @property
    def judge(self) -> str:
        return digest_of([self.name, self.version])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        return [Score(float(s.answer)) if s.answer else NotApplicable("nothing was said") for s in samples]


def labelled(label: float, value: float | None, source: str = "own labels", question: str = "") -> Labelled:
    return Labelled(Sample("", question, "" if value is None else str(value)), label, source)


def rows(right: int, wrong: int, source: str = "own labels") -> list[Labelled]:
    """`right` good and as many bad answers that the judge calls what they are, and `wrong` of each that it does not."""
    values = [(1, 0.9), (0, 0.1)] * right + [(1, 0.2), (0, 0.8)] * wrong
    return [labelled(label, value, source, f"question {n}?") for n, (label, value) in enumerate(values)]


def passport(right: int = 90, wrong: int = 10, **options: Any) -> Passport:
    judge = options.pop("judge", WordJudge())
    return calibrate(judge, rows(right, wrong), **{"made": DAY, "expires": UNTIL, **options})


def rewritten(path: Path, **changes: Any) -> None:
    """The passport file with some keys of its outer record replaced, without a new digest."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
