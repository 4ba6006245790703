"""Fits the coefficients of the groundedness judge, and prints them for genaiops/evaluation/judges/coefficients.py.

    GENAIOPS_DATA=... python -m benchmarks.judges.fit_groundedness

Stage one: BEGIN and WiCE, each source and each label with equal weight. Stage two,
with stage one fixed: what a denial, an opposite or another figure costs, on sentences
of the same two sources with a negation put in, an antonym swapped or a number changed. Sets marked "measure only"
are not read here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.judges.data import FITTED, groundedness_rows
from benchmarks.judges.fitting import balanced_weights, fit_logistic, fit_penalties
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges.groundedness import Supported
from genaiops.evaluation.judges.sentences import Vectorizer, claims_of, nearest, sentences_of
from genaiops.evaluation.judges.support import FEATURES
from genaiops.evaluation.judges.words import OPPOSITES

SIGNS = {"overlap": 1, "cosine": 1, "pairs": 1, "bigrams": 1, "numbers": -1, "names": -1}
PENALTIES = ("denial", "opposite", "figure")
# By hand: no set that may be fitted on holds contradictions. Twice as much would cost 0.01 of AUROC on WiCE.
BY_HAND = {"direction": 1.5}
Example = tuple[str, Sequence[str], bool]  # answer, contexts, grounded
AUXILIARY = re.compile(r"\b(is|are|was|were|can|will|has|have|does|did|could|should|would|may)\b(?!\s+not\b|n't)")
NEGATION = re.compile(r"\s+(?:not|never)\b|n['’]t\b")


def fit(embedder: Embedder, sources: Sequence[str], *, seed: int = 0) -> dict[str, float]:
    """Coefficients by feature name, and `bias`, fitted on these sources only."""
    read = {source: groundedness_rows(source) for source in sources}
    matrices, labels, weights = [], [], []
    for rows in read.values():
        features, kept = features_of(embedder, [(row["answer"], row["contexts"], row["grounded"]) for row in rows])
        matrices.append(features[:, : len(SIGNS)])
        labels.append(kept)
        weights.append(balanced_weights(kept) / len(read))
    main = fit_logistic(
        np.concatenate(matrices), np.concatenate(labels), np.concatenate(weights), signs=list(SIGNS.values())
    )
    altered, truth = features_of(embedder, altered_examples(read, seed))
    offsets = altered[:, : len(SIGNS)] @ main[:-1] + main[-1] + altered[:, -1] * BY_HAND["direction"]
    penalties = fit_penalties(offsets, altered[:, len(SIGNS) : -len(BY_HAND)], truth)
    return dict(zip([*SIGNS, *PENALTIES, "bias"], [*main[:-1], *penalties, main[-1]], strict=True)) | BY_HAND


def features_of(embedder: Embedder, examples: Sequence[Example]) -> tuple[Any, Any]:
    """Features [answers, FEATURES], each the mean over the answer's sentences, and labels [answers]."""
    assert tuple(FEATURES) == (*SIGNS, *PENALTIES, *BY_HAND)
    evidence = {contexts: sentences_of(contexts) for contexts in {tuple(example[1]) for example in examples}}
    tasks = []
    for answer, contexts, label in examples:
        claims = claims_of(answer)
        tasks.append((Supported(claims, nearest(claims, evidence[tuple(contexts)])), label))
    tasks = [(task, label) for task, label in tasks if task.claims and task.evidence]
    vectors = Vectorizer(embedder, (text for task, _ in tasks for text in task.texts()))
    rows = [np.mean([support.features for support in task.supports(vectors)], axis=0) for task, _ in tasks]
    return np.array(rows), np.array([float(label) for _, label in tasks])


def altered_examples(read: dict[str, list[dict[str, Any]]], seed: int) -> list[Example]:
    """True sentences (grounded answers, and one sentence of each context), and the same made false."""
    rng = random.Random(seed)
    examples: list[Example] = []
    for row in (row for rows in read.values() for row in rows):
        texts = [row["answer"]] if row["grounded"] else []
        usable = [s.text for s in sentences_of(row["contexts"]) if 5 <= len(s.words.content) <= 30]
        texts += [rng.choice(usable)] if usable else []
        for text in texts:
            false = [other for other in (negated(text), swapped(text, rng), renumbered(text, rng)) if other]
            examples += [(text, row["contexts"], True), *((other, row["contexts"], False) for other in false)]
    return examples


def negated(text: str) -> str | None:
    """The text with its first negation taken out, or one put in after its first auxiliary verb."""
    if found := NEGATION.search(text):
        return text[: found.start()] + text[found.end() :]
    auxiliary = AUXILIARY.search(text)
    return f"{text[: auxiliary.end()]} not{text[auxiliary.end() :]}" if auxiliary else None


def swapped(text: str, rng: random.Random) -> str | None:
    """The text with one word replaced by an opposite."""
    table: dict[str, list[str]] = {}
    for one, other in (pair.split("/") for pair in OPPOSITES):
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    places = [match for match in re.finditer(r"[A-Za-z]+", text) if match.group().lower() in table]
    if not places:
        return None
    place = rng.choice(places)
    return text[: place.start()] + rng.choice(table[place.group().lower()]) + text[place.end() :]


def renumbered(text: str, rng: random.Random) -> str | None:
    """The text with one number in digits replaced by another."""
    places = list(re.finditer(r"\d+", text))
    if not places:
        return None
    place = rng.choice(places)
    return text[: place.start()] + str(int(place.group()) + rng.randint(1, 9)) + text[place.end() :]


if __name__ == "__main__":
    for name, value in fit(default_embedder(), list(FITTED)).items():
        print(f'    "{name}": {value:.4g},')
