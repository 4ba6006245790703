"""What a drafting brought and, where it brought nothing, why and what to do next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from genaiops.display import counted
from genaiops.golden_sets.proposals import Proposal

_TOLD = {  # a reason of `Drafted.left_out` → what it means, for who has not read of it
    "trivial": "too short, or the answer says hardly more than the question",
    "several answers": "different passages answer the same question",
    "asked before": "a case, a proposal or a rejection asks it",
    "cannot be told apart": "retrieval finds the same passages as for another question",
    "ambiguous": "the quote stands in several places, or the question does not name what it asks about",
    "leaked": "a document or prompt holds the question",
    "unwinnable": "its document does not hold the quote",
}
_BY_HAND = "write cases by hand into golden.jsonl"
_BY_MODEL = "let a model draft, --by model --set generation.model=NAME, or " + _BY_HAND
_REVIEW = "genaiops golden review FLOW"


@dataclass(slots=True)
class Drafted:
    """What a drafting brought: new proposals, what was left out and why, calls of the model, and how it ended.

    `failed` is the last word of a model that was given up; `more` says whether stretches are left to ask about, be it
    because enough proposals wait for their document. Templates `made` so many drafts, of which `over` found no room;
    for a model the documents fall into `stretches`, asked about before or not. What was looked through, `documents`
    and `sentences`, and how many proposals are `waiting` for a decision are counted only where nothing was added.
    """

    added: list[Proposal] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    failed: str = ""
    more: bool = False
    by: Literal["templates", "model"] = "templates"
    documents: int = 0
    sentences: int = 0
    made: int = 0
    over: int = 0
    waiting: int = 0
    stretches: int = 0

    @property
    def why_nothing(self) -> tuple[str, str]:
        """Why nothing was added, and what to do next; ("", "") where something was."""
        if self.added:
            return "", ""
        if not self.sentences:
            why = "holds no sentence" if self.documents == 1 else "hold no sentence"
            why = f"{counted(self.documents, 'document')} {why}" if self.documents else "the flow reads no document"
            return why, "see documents.sources and documents.include in flow.yaml"
        return self._by_model() if self.by == "model" else self._by_templates()

    @property
    def _looked_at(self) -> str:
        return f"{counted(self.sentences, 'sentence')} in {counted(self.documents, 'document')}"

    def _by_templates(self) -> tuple[str, str]:
        if not self.made:
            return (
                f'none of {self._looked_at} has a form that the templates know (English; "A … is a …", "If …, …" '
                'about a named thing, "The … is … because …", table rows under a header such as price, owner or '
                'default, numbered steps under "How to …", questions as headings)',
                _BY_MODEL,
            )
        if self.over:
            why = f"--per-document leaves no room for {counted(self.over, 'draft')}: {self.waiting} wait for a decision"
            return self._with_reasons(why), f"decide on them first, {_REVIEW}, or raise --per-document"
        if set(+self.left_out) == {"asked before"}:
            why = f"all that the templates make of {self._looked_at} was asked before"
            return why, f"{_REVIEW} ({self.waiting} wait), or {_BY_MODEL}" if self.waiting else _BY_MODEL
        return self._with_reasons(
            f"none of {counted(self.made, 'draft')} from {self._looked_at} is worth a review"
        ), _BY_MODEL

    def _by_model(self) -> tuple[str, str]:
        if self.failed:
            why = f"the model was given up after {counted(self.calls, 'call')}"
            return why, "see its address and key in models.yaml, then run it again"
        if not self.stretches:
            return f"{self._looked_at} make no stretch that is long enough to ask a model about", _BY_HAND
        if self.more:
            why = f"{self.waiting} proposals wait, as many as --per-document allows"
            if self.calls:
                why = self._with_reasons(f"{counted(self.calls, 'call')} brought nothing to propose")
            return why, f"run it again, with a higher --calls or --per-document, or decide on what waits: {_REVIEW}"
        if not self.calls:
            why = f"the model was asked about all of {self._looked_at} before"
            return why, f"{_REVIEW} ({self.waiting} wait), or {_BY_HAND}"
        return self._with_reasons(f"{counted(self.calls, 'call')} brought nothing to propose"), _BY_HAND

    def _with_reasons(self, why: str) -> str:
        told = "; ".join(
            f"{number} {reason}" + (f" ({_TOLD[reason]})" if reason in _TOLD else "")
            for reason, number in sorted(self.left_out.items())
            if number
        )
        return f"{why}; left out: {told}" if told else why
