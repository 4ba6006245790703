"""Do the citations hold? citation_recall and citation_precision, sentence by sentence.

The definitions of ALCE (Gao, Yen, Yu and Chen, Enabling Large Language Models to Generate Text with Citations,
EMNLP 2023, section 3), with the local groundedness judge in place of its entailment model:

- A sentence counts for recall when it cites, and what it cites, taken together, supports it.
- A citation counts for precision when its sentence is supported as above and the citation is not irrelevant, which
  it is when it does not support the sentence alone and the others support it without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.supported import Question, SupportMeasure, claims, mean
from genaiops.records import NotApplicable, Outcome, Score, Unscored

_BRACKET = r"\[\d{1,3}(?:\s*,\s*\d{1,3})*\](?!\()"  # [1], [2, 3]; but not the text of a Markdown link
_MARKER = re.compile(_BRACKET)
_BEHIND = re.compile(rf"(?:\s*{_BRACKET})+")  # markers behind the full stop still belong to the sentence


@dataclass(frozen=True, slots=True)
class Cited:
    """One claiming sentence, and the text behind each of its markers ("" where a marker points at nothing)."""

    sentence: str
    texts: tuple[str, ...]

    @property
    def all_texts(self) -> Question:
        return self.sentence, tuple(text for text in self.texts if text)

    def alone(self, position: int) -> Question:
        return self.sentence, tuple(text for text in (self.texts[position],) if text)

    def without(self, position: int) -> Question:
        return self.sentence, tuple(text for at, text in enumerate(self.texts) if text and at != position)


def cited_sentences(sample: Sample) -> list[Cited]:
    """The sentences of an answer that claim something, with what they cite.

    Marker n stands for context n, or else for the quotes of the answer's citations with that number.
    """
    found = []
    for sentence, (start, end) in claims(sample.answer):
        behind = _BEHIND.match(sample.answer, end)
        written = sample.answer[start : behind.end() if behind else end]
        markers = dict.fromkeys(int(number) for mark in _MARKER.findall(written) for number in re.findall(r"\d+", mark))
        found.append(Cited(sentence.strip(), tuple(_text_of(sample, marker) for marker in markers)))
    return found


def _text_of(sample: Sample, marker: int) -> str:
    if 1 <= marker <= len(sample.contexts):
        return sample.contexts[marker - 1]
    quotes = [c.quote for c in sample.response.citations if c.marker == marker] if sample.response else []
    return "\n\n".join(quotes)


@dataclass(frozen=True, slots=True)
class _Recall:
    cited: Sequence[Cited]

    def questions(self) -> Iterator[Question]:
        return (cited.all_texts for cited in self.cited if cited.texts)

    def value(self, supported: Mapping[Question, bool]) -> Outcome:
        return Score(mean([supported.get(cited.all_texts, False) for cited in self.cited]))


@dataclass(frozen=True, slots=True)
class _Precision:
    cited: Sequence[Cited]

    def questions(self) -> Iterator[Question]:
        for cited in self.cited:
            if cited.texts:
                yield cited.all_texts
            if len(cited.texts) > 1:
                for position in range(len(cited.texts)):
                    yield cited.alone(position)
                    yield cited.without(position)

    def value(self, supported: Mapping[Question, bool]) -> Outcome:
        each = [_relevant(cited, position, supported) for cited in self.cited for position in range(len(cited.texts))]
        return Score(mean(each))


@dataclass(frozen=True, slots=True)
class CitationMeasure(SupportMeasure):
    """`citation_recall` or `citation_precision`; `groundedness` is the judge that decides support."""

    name: str
    groundedness: Measure

    def _plan(self, sample: Sample) -> _Recall | _Precision | Unscored | NotApplicable:
        if sample.refused:
            return NotApplicable("a refusal claims nothing")
        found = cited_sentences(sample)
        if not found:
            return NotApplicable("the answer claims nothing")
        if not sample.contexts and not (sample.response and sample.response.citations):
            return Unscored("no contexts that a citation could point at", lacks="contexts")
        if self.name == "citation_recall":
            return _Recall(found)
        return _Precision(found) if any(cited.texts for cited in found) else NotApplicable("the answer cites nothing")


def _relevant(cited: Cited, position: int, supported: Mapping[Question, bool]) -> bool:
    if not cited.texts[position] or not supported.get(cited.all_texts, False):
        return False
    alone = supported.get(cited.alone(position), False) if len(cited.texts) > 1 else True
    return alone or not supported.get(cited.without(position), False)
