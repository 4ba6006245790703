"""Answers with whole sentences of the hits, each cited to its characters, or refuses. No model, no key."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pydantic import Field

from genaiops.configuration import Settings, validated_data
from genaiops.errors import ConfigurationError
from genaiops.generation.citations import sentence_citation
from genaiops.generation.protocol import Emit, Generation, GenerationRequest, discard
from genaiops.generation.refusal import REFUSAL
from genaiops.generation.telling import Telling, tellings
from genaiops.records import Hit, Metadata, Usage
from genaiops.words import content_words


class ExtractiveOptions(Settings):
    """What a prompt file may ask of the extractive generator, under `model.options`."""

    sentences: int = Field(default=2, ge=1, le=20)  # at most so many in an answer
    support: float = Field(default=0.45, ge=0, le=1)  # below it the answer is a refusal


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One sentence of one hit: `marker` is the hit's number in the context, the span is in the chunk's text.

    `text` is what an answer says of it, with `words`; `own` are those without the names of a table's columns.
    """

    marker: int
    hit: Hit
    start: int
    end: int
    text: str
    words: frozenset[str]
    own: frozenset[str]
    score: float = 0.0

    @property
    def is_row(self) -> bool:
        return self.own != self.words


class Extractive:
    """Picks the sentences that hold the question's words, weighed by how rare they are among the hits."""

    model = "extractive"

    def generate(self, request: GenerationRequest, emit: Emit = discard) -> Generation:
        """Up to `options.sentences` sentences, the best passage first, or the refusal when support is too low."""
        options = _options(request.options)
        question = frozenset(content_words(request.query.text))
        candidates = _candidates(request.hits)
        weights = _rarity(question, candidates)
        ranked = _ranked(candidates, question, weights)
        chosen = _chosen(ranked, question, options.sentences)
        if not chosen or support(chosen, question, weights) < options.support:
            emit(REFUSAL)
            return Generation(REFUSAL, True, (), Usage(), self.model)
        pieces: list[str] = []
        for candidate in chosen:
            pieces.append(f"{' ' if pieces else ''}{candidate.text} [{candidate.marker}]")
            emit(pieces[-1])
        citations = tuple(sentence_citation(c.marker, c.hit, c.start, c.end) for c in chosen)
        return Generation("".join(pieces), False, citations, Usage(), self.model)


def _options(options: Metadata) -> ExtractiveOptions:
    """The options that are ours; those for other models (temperature …) are not an error."""
    ours = {key: value for key, value in options.items() if key in ExtractiveOptions.model_fields}
    try:
        return validated_data(ExtractiveOptions, ours, where=lambda key: "prompt options")
    except ConfigurationError as error:
        raise ConfigurationError(error.what, where=error.where, remedy="correct model.options of the prompt") from None


def _candidates(hits: Sequence[Hit]) -> list[_Candidate]:
    """Every sentence of every hit that says something; a heading names a subject but answers nothing."""
    seen: set[tuple[str, int]] = set()
    found = []
    for marker, hit in enumerate(hits, start=1):
        for told, words, own in _telling_sentences(hit.chunk.text):
            place = (hit.chunk.document_id, hit.chunk.start + told.start)
            if place not in seen:  # overlapping chunks hold the same sentence
                seen.add(place)
                found.append(_Candidate(marker, hit, told.start, told.end, told.said, words, own))
    return found


# Chunks come back question after question, so what was read once is kept.
@lru_cache(maxsize=8192)
def _telling_sentences(text: str) -> tuple[tuple[Telling, frozenset[str], frozenset[str]], ...]:
    """The sentences that may answer, with their words: no heading, no question, two content words at least."""
    told = (t for t in tellings(text) if not t.names_columns and not text[t.start : t.end].endswith("?"))
    spans = ((t, _word_set(t.said), _word_set(t.own)) for t in told)
    return tuple(span for span in spans if len(span[1]) >= 2)


@lru_cache(maxsize=8192)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(content_words(text))


def _rarity(question: frozenset[str], candidates: Sequence[_Candidate]) -> dict[str, float]:
    """Inverse document frequency of the question's words among the sentences; a word none of them has weighs most."""
    frequency = Counter(word for candidate in candidates for word in candidate.words if word in question)
    total = len(candidates)
    return {word: math.log(1 + (total + 1) / (frequency[word] + 0.5)) for word in question}


def _ranked(candidates: Sequence[_Candidate], question: frozenset[str], weights: dict[str, float]) -> list[_Candidate]:
    """Candidates by score: share of the question's weight they hold, helped by what surrounds them and by rank."""
    total = sum(weights.values()) or 1.0
    # What each chunk (with its heading path) is about: a sentence may say "it" for the word asked about.
    subjects = {c.marker: _word_set(c.hit.chunk.indexed_text) & question for c in candidates}
    scored = []
    for candidate in candidates:
        held = sum(weights[word] for word in candidate.words & question) / total
        near = sum(weights[word] for word in subjects[candidate.marker]) / total
        focus = len(candidate.words & question) / math.sqrt(len(candidate.words))
        score = held + 0.35 * near + 0.1 * focus + 0.25 / (1 + candidate.marker)
        scored.append(replace(candidate, score=score))
    return sorted(scored, key=lambda c: (-c.score, c.marker, c.start))


def _chosen(ranked: Sequence[_Candidate], question: frozenset[str], count: int) -> list[_Candidate]:
    """The best sentences that do not repeat each other and come near the best one.

    The passage with the best sentence comes first; within a passage the order is that of reading.
    """
    chosen: list[_Candidate] = []
    for candidate in ranked:
        if len(chosen) == count or (chosen and candidate.score < 0.6 * chosen[0].score):
            break
        # The row asked about is there already; others share the names of its columns with it and nothing more.
        if candidate.is_row and not candidate.own & question and any(c.is_row and c.own & question for c in chosen):
            continue
        if all(len(candidate.own & other.words) < 0.7 * len(candidate.own) for other in chosen):
            chosen.append(candidate)
    passages = list(dict.fromkeys(candidate.marker for candidate in chosen))
    return sorted(chosen, key=lambda c: (passages.index(c.marker), c.start))


def support(chosen: Sequence[_Candidate], question: frozenset[str], weights: dict[str, float]) -> float:
    """How much of the question the chosen sentences and their surroundings hold, in [0, 1]."""
    total = sum(weights.values()) or 1.0
    said = frozenset().union(*(candidate.words for candidate in chosen)) & question
    around = frozenset().union(*(_word_set(c.hit.chunk.indexed_text) for c in chosen)) & question
    lexical = (sum(weights[w] for w in said) + sum(weights[w] for w in around)) / (2 * total)
    cosines = [c.hit.signals["vector"] for c in chosen if "vector" in c.hit.signals]
    if not cosines:  # full-text search knows no cosine
        return lexical
    return 0.5 * lexical + 0.5 * max(0.0, *cosines)
