"""The relevance judge against the cosine of question and answer; prints a Markdown table.

    GENAIOPS_DATA=... python -m benchmarks.judges.relevance

Experts' labels (HaluQuestQA, noisy: nearly all answers are on the topic), and answers
put under another question, drawn at random or the most similar one. The coefficients
were fitted on the mismatched pairs of this set; `held out` fits on half of the
questions and measures on the other half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.judges.data import Remembering, auroc, balanced_accuracy, data_folder, rows
from benchmarks.judges.fit_relevance import SIGNS, features_of, mismatched
from benchmarks.judges.fitting import balanced_weights, fit_logistic
from genaiops.embedding import default_embedder
from genaiops.evaluation.judges.coefficients import RELEVANCE
from genaiops.evaluation.judges.relevance import FEATURES


def main() -> None:
    embedder = Remembering(default_embedder())
    read = rows(data_folder() / "relevance" / "haluquestqa.jsonl")
    print("| set | rows | AUROC | AUROC of cosine | balanced accuracy at 0.5 |\n|---|---|---|---|---|")
    everything = [(row["question"], row["answer"]) for row in read]
    shipped = np.array([RELEVANCE[name] for name in (*FEATURES, "bias")])
    features = features_of(everything, embedder)
    print(line("experts: relevant throughout", features, [row["relevant"] for row in read], shipped))
    good = [row["relevance"] >= 0.5 for row in read]  # as in fit_relevance.py
    pairs = [pair for pair, kept in zip(everything, good, strict=True) if kept]
    right = features[good]
    for name, hard in (("mismatched at random", False), ("mismatched, most similar question", True)):
        wrong = features_of(mismatched(pairs, embedder, hard=hard), embedder)
        labels = [True] * len(right) + [False] * len(wrong)
        print(line(name, np.concatenate([right, wrong]), labels, shipped))
        print(line(f"{name}, held out", *held_out(pairs, right, wrong)))


def held_out(pairs: list[tuple[str, str]], right: Any, wrong: Any) -> tuple[Any, list[bool], Any]:
    """Features and labels of every second question, and coefficients fitted on the other ones."""
    place = {question: number for number, question in enumerate(sorted({question for question, _ in pairs}))}
    even = np.array([place[question] % 2 == 0 for question, _ in pairs])
    train = np.concatenate([right[even], wrong[even]])
    labels = np.array([1.0] * int(even.sum()) + [0.0] * int(even.sum()))
    fitted = fit_logistic(train, labels, balanced_weights(labels), signs=SIGNS)
    count = int((~even).sum())
    return np.concatenate([right[~even], wrong[~even]]), [True] * count + [False] * count, fitted


def line(name: str, features: Any, labels: list[bool], coefficients: Any) -> str:
    values = 1 / (1 + np.exp(-(features @ coefficients[:-1] + coefficients[-1])))
    cosine = auroc(labels, features[:, FEATURES.index("answer")])
    accuracy = balanced_accuracy(labels, values)
    return f"| {name} | {len(labels)} | {auroc(labels, values):.3f} | {cosine:.3f} | {accuracy:.3f} |"


if __name__ == "__main__":
    main()
