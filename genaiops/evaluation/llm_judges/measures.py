"""The measures that a judging model decides: `llm:` and groundedness, relevance, completeness or utilization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from genaiops.evaluation.llm_judges.group import GroupJudge, Votes, expected_of
from genaiops.evaluation.llm_judges.judgement import Part, value_of, verdicts_of
from genaiops.evaluation.llm_judges.prompt import numbered_spans
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample, SentenceVerdict
from genaiops.records import Case, NotApplicable, Outcome, Score, Unscored, digest_of

_NOTHING_EXPECTED = NotApplicable("neither reference nor evidence says what is expected", lacks="reference")


@dataclass(frozen=True, slots=True)
class LlmMeasure(PlainMeasure):
    """One value of the group that the judge gives for every case. Values are in [0, 1]."""

    part: Part
    group: GroupJudge

    def __str__(self) -> str:
        return f"llm:{self.part}"

    @property
    def judge(self) -> str:
        """Digest of part, model, address, prompt, schema, temperature and number of votes."""
        return digest_of([self.part, self.group.digest])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order. A case that the judge failed on is Unscored, with its words."""
        return [outcome for outcome, _ in self._judged(samples)]

    def unsettled(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples that need the judge."""
        return [sample for sample in samples if self._settled(sample) is None]

    def begin_round(self, number: int) -> None:
        """See stopping.InRounds."""
        self.group.round = number

    def _judged(self, samples: Sequence[Sample]) -> list[tuple[Outcome, Votes]]:
        settled = [self._settled(sample) for sample in samples]
        asked = [sample for sample, outcome in zip(samples, settled, strict=True) if outcome is None]
        votes = iter(self.group.judged(asked))
        found: list[tuple[Outcome, Votes]] = []
        for outcome in settled:
            given = () if outcome is not None else next(votes)
            if isinstance(given, Unscored):
                found.append((given, ()))
            else:
                found.append((value_of(self.part, given) if outcome is None else outcome, given))
        return found

    def _settled(self, sample: Sample) -> Outcome | None:
        """The outcome where no judge is needed to know it."""
        if self.group.is_tested(sample):
            return Unscored(f"the judge {self.group.name} is the model under test")
        return settled(self.part, sample)


class LlmGroundedness(LlmMeasure):
    """Groundedness, which says what each value rests on (see records.Explaining)."""

    __slots__ = ()

    def explained(self, samples: Sequence[Sample]) -> list[tuple[Outcome, tuple[SentenceVerdict, ...]]]:
        """What `score` gives, each with a verdict on every sentence that claims something."""
        return [
            (outcome, verdicts_of(votes) if isinstance(outcome, Score) else ())
            for outcome, votes in self._judged(samples)
        ]


class LlmCompleteness(LlmMeasure):
    """Completeness, which knows from the case alone whether anything is expected (see records.Selective)."""

    __slots__ = ()

    def not_applicable(self, case: Case) -> NotApplicable | None:
        return None if case.wants_answer else _NOTHING_EXPECTED


def settled(part: Part, sample: Sample) -> Outcome | None:
    """What a refusal, an empty answer or missing contexts mean for a part; None when there is something to judge."""
    return _SETTLED[part](sample, not sample.refused and not numbered_spans(sample.answer))


def _groundedness(sample: Sample, empty: bool) -> Outcome | None:
    if sample.refused or empty:
        return NotApplicable("a refusal claims nothing" if sample.refused else "the answer claims nothing")
    return None if _has_contexts(sample) else Unscored("no contexts to judge the answer by", lacks="contexts")


def _relevance(sample: Sample, empty: bool) -> Outcome | None:
    wanted = sample.case.wants_answer if sample.case is not None else bool(sample.reference)
    if sample.refused and not wanted:
        return NotApplicable("a refusal, where no answer is wanted")
    if not sample.question.strip():
        return Unscored("no question to judge the answer by")
    return Score(0.0) if sample.refused or empty else None


def _completeness(sample: Sample, empty: bool) -> Outcome | None:
    if not expected_of(sample):
        return _NOTHING_EXPECTED
    return Score(0.0) if sample.refused or empty else None


def _utilization(sample: Sample, empty: bool) -> Outcome | None:
    if sample.refused:
        return NotApplicable("a refusal uses nothing")
    if not _has_contexts(sample):
        return Unscored("no contexts that the answer could have used", lacks="contexts")
    return Score(0.0) if empty else None


def _has_contexts(sample: Sample) -> bool:
    return any(text.strip() for text in sample.contexts)


_SETTLED: Mapping[Part, Callable[[Sample, bool], Outcome | None]] = {
    "groundedness": _groundedness,
    "relevance": _relevance,
    "completeness": _completeness,
    "utilization": _utilization,
}
