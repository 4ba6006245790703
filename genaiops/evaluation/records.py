"""What evaluation passes around: a sample, a measure, and the run that results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import TypeAdapter

from genaiops.evaluation.outcomes import outcome_from_json, outcome_to_json
from genaiops.evaluation.passports.record import Passport
from genaiops.evaluation.scale import Scale, Statistic
from genaiops.evaluation.sealed_file import load_sealed, sealed
from genaiops.files import published_folder
from genaiops.records import (
    Answer,
    Case,
    Metadata,
    NotApplicable,
    Outcome,
    Score,
    Summary,
    as_json,
    canonical_json,
)

RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """One answered question, as every measure sees it, whatever application answered.

    `contexts` are the texts the answer was made from, best first; `refused` says the
    answer is a refusal. `case` is set for a question of a golden set, `response` where
    the application returned a full Answer (with hits, tokens and seconds). `facts` is
    what else a file of rows tells of the answer: `probabilities` of its labels, and
    numbers such as `latency_s`, `input_tokens`, `output_tokens` and `cost_usd`.
    """

    id: str
    question: str
    answer: str
    contexts: tuple[str, ...] = ()
    reference: str = ""
    refused: bool = False
    case: Case | None = None
    response: Answer | None = None
    facts: Metadata = field(default_factory=dict)


class Measure(Protocol):
    """Scores answers. `str(measure)` is its name in configuration, reports and gates."""

    def __str__(self) -> str: ...

    @property
    def unit_interval(self) -> bool:
        """Values are in [0, 1]; a value outside is a fault and becomes Unscored."""
        ...

    @property
    def statistic(self) -> Statistic:
        """What the summary over all cases is: "mean", a quantile as in "p95", or the name of a pooled formula."""
        ...

    @property
    def judge(self) -> str:
        """Digest of the judge that decides; empty for a deterministic measure."""
        ...

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in the same order. A sample that cannot be measured is Unscored, not an error."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A measure that knows from the case alone that it does not apply.

    Optional. A case whose question got no answer is Unscored in every measure, unless
    the measure is Selective and says that the case is none of its business.
    """

    def not_applicable(self, case: Case) -> NotApplicable | None:
        """Why the measure has no meaning for this case; None when it has."""
        ...


@runtime_checkable
class Directed(Protocol):
    """A measure that says which way is better. Optional; without it, more is better."""

    @property
    def lower_is_better(self) -> bool:
        """True where less is better, as for seconds and dollars."""
        ...


@runtime_checkable
class Steady(Protocol):
    """A measure whose judge always says the same of the same texts, but for the rounding of vectors. Optional."""

    @property
    def steady(self) -> bool:
        """True for the judges of this machine; a language model is asked anew."""
        ...


Label = Literal["supported", "unsupported", "contradicted"]


@dataclass(frozen=True, slots=True)
class SentenceVerdict:
    """One sentence of an answer and the evidence nearest to it.

    `[start, end)` is the sentence's span in the answer as given, `value` in [0, 1]
    (supported from 0.5); `[evidence_start, evidence_end)` is a span of contexts[context].
    """

    start: int
    end: int
    value: float
    label: Label
    context: int
    evidence_start: int
    evidence_end: int


@runtime_checkable
class Explaining(Protocol):
    """A measure that says, with every outcome, what it rests on sentence by sentence. Optional."""

    def explained(self, samples: Sequence[Sample]) -> list[tuple[Outcome, tuple[SentenceVerdict, ...]]]:
        """What `score` gives, each with the verdicts on the answer's sentences (none where it gives no value)."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated: the flow's name, digests of `flow`, `prompt` and `index`, and the effective settings."""

    flow: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    settings: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Git:
    """The working folder's commit ("" outside a repository) and whether it had uncommitted changes."""

    commit: str = ""
    dirty: bool = False


# Where a wrong answer may have been lost; `unknown` where nobody can tell. See evaluation.waterfall.
Stage = Literal[
    "corpus", "parser", "chunker", "retrieval", "ranking", "budget", "unused", "contradicted", "refused", "error",
    "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case's answer is wrong: the first stage that lost what it needed, what is known, the setting to turn."""

    stage: Stage
    detail: str
    knob: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of a run: its answer, or the error that stands in its place, and the outcome of every measure.

    `verdicts` maps a measure that explains itself to its verdicts on the answer's sentences. `failure` is None for a
    right answer. `reused` names what was taken over from an earlier evaluation of the same content: `retrieval`,
    `answer`, `judges`; their seconds are those measured then. Of a case that was asked several times, `answer` is the
    first answer, an outcome's value is the mean over the repeats, `repeated` has the outcome of every repeat by
    measure, and `texts` says how many different texts were answered.
    """

    case: Case
    answer: Answer | None
    error: str
    outcomes: Mapping[str, Outcome]
    verdicts: Mapping[str, tuple[SentenceVerdict, ...]] = field(default_factory=dict)
    failure: Failure | None = None
    reused: tuple[str, ...] = ()
    repeated: Mapping[str, tuple[Outcome, ...]] = field(default_factory=dict)
    texts: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation, with all that is needed to run it again.

    `judges` maps measure to the digest of its judge (deterministic measures are left out);
    `passports` maps measure to the passport its judge had then (a judge without one is left out);
    `scales` maps every measure to its Scale; `created_at` is ISO 8601 in UTC;
    `summaries` are in the order in which the measures were asked for; each case was asked
    `repeats` times. `not_asked` has the digests, by id, of the cases that a run which
    stopped early did not need; they are not in `results`.
    """

    id: str
    created_at: str
    subject: Subject
    golden_set: str
    golden_set_digest: str
    results: tuple[CaseResult, ...]
    summaries: tuple[Summary, ...]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    judges: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    confidence: float = 0.95
    versions: Mapping[str, str] = field(default_factory=dict)
    git: Git = field(default_factory=Git)
    part: str = ""  # of a divided golden set: train, dev, holdout or all
    holdout_looks: int = 0  # how many evaluations have seen its holdout, this one among them; 0: this one did not
    passports: Mapping[str, Passport] = field(default_factory=dict)
    repeats: int = 1
    not_asked: Mapping[str, str] = field(default_factory=dict)
    verdict: str = ""  # of the gate it was kept under (`score --gate --keep`); "" where none judged it then

    @property
    def measured_on(self) -> str:
        """The golden set with its part, and how often a holdout was looked at."""
        looks = f", look {self.holdout_looks} at the holdout" if self.holdout_looks else ""
        return f"{self.golden_set} ({self.part}{looks})" if self.part else self.golden_set

    def scale(self, measure: str) -> Scale:
        """How to read one measure; a run that does not say is read as a mean of values in [0, 1]."""
        return self.scales.get(measure, Scale(True))

    def summary(self, measure: str) -> Summary | None:
        """The summary of one measure; None when this run did not measure it."""
        return next((s for s in self.summaries if s.measure == measure), None)

    def values(self, measure: str) -> dict[str, float]:
        """Case id → value, for the cases this measure scored, in case order."""
        outcomes = ((r.case.id, r.outcomes.get(measure)) for r in self.results)
        return {case_id: outcome.value for case_id, outcome in outcomes if isinstance(outcome, Score)}

    def _repr_html_(self) -> str:
        """The scorecard for a notebook: a small table, without scripts or anything loaded."""
        from genaiops.evaluation.reports.notebook import run_html

        return run_html(self)

    def to_json(self) -> dict[str, Any]:
        """The run as plain JSON data. An outcome is `{"value"}`, `{"unscored"}` or `{"not_applicable"}`."""
        data: dict[str, Any] = as_json(self)
        for result, written in zip(self.results, data["results"], strict=True):
            written["outcomes"] = {name: outcome_to_json(outcome) for name, outcome in result.outcomes.items()}
            written["repeated"] = {
                name: [outcome_to_json(outcome) for outcome in repeats] for name, repeats in result.repeated.items()
            }
            _without(written, _ONCE)
        _without(data, _WHOLE)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Run:
        """The run that `to_json` wrote. Raises ValueError when `data` is something else."""
        results = [
            {
                **result,
                "outcomes": {name: outcome_from_json(item) for name, item in result["outcomes"].items()},
                "repeated": {
                    name: tuple(outcome_from_json(item) for item in items)
                    for name, items in result.get("repeated", {}).items()
                },
            }
            for result in data["results"]
        ]
        scales = {name: {"lower_is_better": name in _LOWER, **scale} for name, scale in data.get("scales", {}).items()}
        return _reader().validate_python({**data, "results": results, "scales": scales})

    def save(self, folder: Path) -> Path:
        """Publish `folder/<id>/run.json` in one durable rename; returns `folder/<id>`."""
        final = folder / self.id
        with published_folder(final) as aside:
            content = canonical_json(sealed("run", self.to_json()))
            (aside / RUN_FILE).write_text(content + "\n", encoding="utf-8")
        return final

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read the run of `folder` (or of its run.json).

        Raises NotFound when there is none, IntegrityError when the file is damaged,
        was edited, or was written by a newer version.
        """
        path = folder if folder.name == RUN_FILE else folder / RUN_FILE
        return load_sealed(path, "run", cls.from_json, again="evaluate again: genaiops evaluate; a run is never edited")


# Of which less is better, in runs written before a scale said so.
_LOWER = ("latency_s", "latency_p95_s", "input_tokens", "output_tokens", "cost_usd")
# What a run that asks every case once says by silence, as runs did before there were others: digests stay the same.
_ONCE: dict[str, object] = {"repeated": {}, "texts": 1}
_WHOLE: dict[str, object] = {"repeats": 1, "not_asked": {}, "verdict": ""}


def _without(data: dict[str, Any], defaults: Mapping[str, object]) -> None:
    for key, value in defaults.items():
        if data[key] == value:
            del data[key]


@cache
def _reader() -> TypeAdapter[Run]:
    return TypeAdapter(Run)
