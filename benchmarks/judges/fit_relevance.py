"""Fits the coefficients of the relevance judge on HaluQuestQA, and prints them.

    GENAIOPS_DATA=... python -m benchmarks.judges.fit_relevance

Positives: answers that experts call relevant. Negatives: the same answers under
another question, half of them drawn at random, half under the most similar question.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from benchmarks.judges.data import Remembering, data_folder, rows
from benchmarks.judges.fitting import balanced_weights, fit_logistic
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges.relevance import FEATURES, Addressed
from genaiops.evaluation.judges.sentences import Vectorizer, claims_of

SIGNS = (1, 1, 1, -1)
Pair = tuple[str, str]  # question, answer


def main() -> None:
    embedder = Remembering(default_embedder())
    good = [row for row in rows(data_folder() / "relevance" / "haluquestqa.jsonl") if row["relevance"] >= 0.5]
    right = [(row["question"], row["answer"]) for row in good]
    wrong = mismatched(right, embedder, hard=False) + mismatched(right, embedder, hard=True)
    features = features_of([*right, *wrong], embedder)
    labels = np.array([1.0] * len(right) + [0.0] * len(wrong))
    fitted = fit_logistic(features, labels, balanced_weights(labels), signs=SIGNS)
    for name, value in zip([*FEATURES, "bias"], fitted, strict=True):
        print(f'    "{name}": {value:.4g},')


def mismatched(pairs: list[Pair], embedder: Embedder, *, hard: bool, seed: int = 0) -> list[Pair]:
    """Every answer under another question: the most similar one, or one drawn at random."""
    questions = sorted({question for question, _ in pairs})
    place = {question: number for number, question in enumerate(questions)}
    rng = random.Random(seed)
    if not hard:
        return [(rng.choice([q for q in questions if q != question]), answer) for question, answer in pairs]
    vectors = embedder.embed(questions)
    nearness = vectors @ vectors.T
    np.fill_diagonal(nearness, -1.0)
    return [(questions[int(nearness[place[question]].argmax())], answer) for question, answer in pairs]


def features_of(pairs: list[Pair], embedder: Embedder) -> Any:
    """Features [pairs, FEATURES]."""
    said = {answer: claims_of(answer) for _, answer in pairs}
    tasks = [Addressed(question, answer, said[answer]) for question, answer in pairs]
    vectors = Vectorizer(embedder, (text for task in tasks for text in task.texts()))
    return np.array([task.features(vectors) for task in tasks])


if __name__ == "__main__":
    main()
