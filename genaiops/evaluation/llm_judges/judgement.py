"""One verdict on one case, as it is kept: places and marks, none of the texts."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genaiops.evaluation.llm_judges.prompt import LEVELS, Material
from genaiops.evaluation.llm_judges.quotes import Located
from genaiops.evaluation.llm_judges.reply import Reply
from genaiops.evaluation.records import Label, SentenceVerdict
from genaiops.records import NotApplicable, Outcome, Score, Unscored

Part = Literal["groundedness", "relevance", "completeness", "utilization"]
PARTS: tuple[Part, ...] = ("groundedness", "relevance", "completeness", "utilization")


@dataclass(frozen=True, slots=True)
class Claimed:
    """The verdict on one claim of `[start, end)` of the answer; evidence `[first, last)` of contexts[context]."""

    start: int
    end: int
    label: Label
    context: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """One vote: the claims found, the marks in [0, 1], and what it took."""

    claims: tuple[Claimed, ...]
    marks: Mapping[str, float]
    input_tokens: int
    output_tokens: int
    seconds: float

    @property
    def groundedness(self) -> float | None:
        """1 when every claim is supported, otherwise half the share that is; None without a claim.

        So 0.5 is the threshold, as with the local judge: one invented claim among many true ones must show.
        """
        return _strict_share(self.claims) if self.claims else None

    def verdicts(self) -> tuple[SentenceVerdict, ...]:
        """One for each sentence that claims something, with the evidence of the claim that decides it."""
        sentences: dict[tuple[int, int], list[Claimed]] = {}
        for claim in self.claims:
            sentences.setdefault((claim.start, claim.end), []).append(claim)
        made = []
        for (start, end), found in sentences.items():
            worst = min(found, key=lambda claim: _ORDER[claim.label])
            value = _strict_share(found)
            made.append(SentenceVerdict(start, end, value, worst.label, worst.context, worst.first, worst.last))
        return tuple(made)


def _strict_share(claims: Sequence[Claimed]) -> float:
    share = sum(claim.label == "supported" for claim in claims) / len(claims)
    return share if share == 1 else share / 2


_ORDER = {"contradicted": 0, "unsupported": 1, "supported": 2}


def judgement_of(reply: Reply, material: Material, *, usage: tuple[int, int], seconds: float) -> Judgement:
    """A reply with its quotes found in the contexts. A claim whose quote is in no context is not supported."""
    located = Located(material.contexts)
    claims = []
    for claim in reply.claims:
        if claim.verdict == "none":
            continue
        start, end = material.spans[claim.sentence - 1]
        place = located.place(claim.quote, likely=claim.context) if claim.verdict != "unsupported" else None
        if place is None or claim.verdict == "unsupported":
            claims.append(Claimed(start, end, "unsupported"))
        else:
            claims.append(Claimed(start, end, claim.verdict, place.context, place.start, place.end))
    given = {"relevance": reply.relevance, "utilization": reply.utilization, "completeness": reply.completeness}
    marks = {name: mark / LEVELS for name, mark in given.items() if mark is not None}
    return Judgement(tuple(claims), marks, *usage, seconds)


def value_of(part: Part, votes: Sequence[Judgement]) -> Outcome:
    """The median of the votes on one part of the group."""
    values = [vote.groundedness if part == "groundedness" else vote.marks.get(part) for vote in votes]
    given = [value for value in values if value is not None]
    if not given and part == "groundedness":
        return NotApplicable("the judge found no claim in the answer")
    if len(given) < len(values):
        return Unscored(f"the judge gave {len(given)} of {len(values)} votes on {part}")
    return Score(statistics.median(given), votes=tuple(given) if len(given) > 1 else ())


def verdicts_of(votes: Sequence[Judgement]) -> tuple[SentenceVerdict, ...]:
    """The sentence verdicts of the vote that is nearest to the median."""
    grounded = [vote for vote in votes if vote.groundedness is not None]
    if not grounded:
        return ()
    middle = statistics.median(vote.groundedness or 0.0 for vote in grounded)
    return min(grounded, key=lambda vote: abs((vote.groundedness or 0.0) - middle)).verdicts()
