"""Fits the coefficients of the relevance judge on HaluQuestQA, and prints them.

    GENAIOPS_DATA=... python -m benchmarks.judges.fit_relevance

On half of the questions; the other half is for measuring (benchmarks/judges/relevance.py).
Positives: answers that experts call relevant, whole and cut down to the sentence nearest
to the question, so that short answers are judged by the same scale. Negatives: the same
answers under other questions. Evasions are no negatives here: see relevance.told.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from benchmarks.judges.data import Remembering, data_folder, rows
from benchmarks.judges.fitting import balanced_weights, fit_logistic
from benchmarks.judges.relevance_pairs import KINDS, Pair, mismatched
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges.relevance import FEATURES, Addressed
from genaiops.evaluation.judges.sentences import Vectorizer, claims_of

FITTED = FEATURES[:-1]  # `lacks` is set by hand: the questions at hand are nearly all "why" and "how"
SIGNS = (1, 1, 1, 1)
L2 = 0.003


def main() -> None:
    embedder = Remembering(default_embedder())
    half = [pair for pair in right_pairs() if fitted_on(pair[0])]
    for name, value in zip([*FITTED, "bias"], fit(half, embedder), strict=True):
        print(f'    "{name}": {value:.4g},')


def right_pairs() -> list[Pair]:
    """Questions with the answers that experts call mostly relevant."""
    read = rows(data_folder() / "relevance" / "haluquestqa.jsonl")
    return [(row["question"], row["answer"]) for row in read if row["relevance"] >= 0.5]


def fitted_on(question: str) -> bool:
    """Whether a question is in the half that the shipped coefficients were fitted on."""
    return hashlib.sha256(question.encode()).digest()[0] % 2 == 0


def fit(right: list[Pair], embedder: Embedder) -> Any:
    """Coefficients in the order of FITTED, then the bias."""
    short = shortened(right, embedder)
    wrong = [
        pair for good in (right, short) for near in KINDS.values() for pair in mismatched(good, embedder, nearest=near)
    ]
    good = [*right, *short]
    features = features_of([*good, *wrong], embedder)[:, : len(FITTED)]
    labels = np.array([1.0] * len(good) + [0.0] * len(wrong))
    return fit_logistic(features, labels, balanced_weights(labels), signs=SIGNS, l2=L2)


def shortened(pairs: list[Pair], embedder: Embedder) -> list[Pair]:
    """Each answer cut down to its sentence nearest to the question."""
    found = []
    for question, answer in pairs:
        said = [sentence.text for sentence in claims_of(answer)]
        nearness = embedder.embed(said) @ embedder.embed([question])[0]
        found.append((question, said[int(nearness.argmax())]))
    return found


def features_of(pairs: list[Pair], embedder: Embedder) -> Any:
    """Features [pairs, FEATURES]."""
    said = {answer: claims_of(answer) for _, answer in pairs}
    tasks = [Addressed(question, answer, said[answer]) for question, answer in pairs]
    vectors = Vectorizer(embedder, (text for task in tasks for text in task.texts()))
    return np.array([task.features(vectors) for task in tasks])


if __name__ == "__main__":
    main()
