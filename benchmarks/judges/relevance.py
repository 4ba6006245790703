"""The relevance judge against the cosine of question and answer.

    GENAIOPS_DATA=... python -m benchmarks.judges.relevance

Experts' labels (HaluQuestQA, noisy: nearly all answers are on the topic), and right
answers against wrong ones: those of other questions and evasions, whole answers and ones
cut to a sentence. All on the half of the questions that nothing was fitted on, and on two
sets of questions over documents that nothing at all was fitted on. The cosine is that of
the embedder's vectors of the question and of the whole answer. Then the probe of short
answers (short_answers.py), on the half of its questions that the rules were not made on.
"""

from __future__ import annotations

import re
from typing import Any

from benchmarks.judges.data import Remembering, auroc, balanced_accuracy, data_folder, rows
from benchmarks.judges.fit_relevance import fitted_on, right_pairs, shortened
from benchmarks.judges.relevance_pairs import Pair, wrong_pairs
from benchmarks.judges.short_answers import RIGHT, WRONG, short_answers
from benchmarks.reporting import Report, Table, alone
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.judges.words import without_markers
from genaiops.evaluation.records import Sample
from genaiops.records import Score


def held_out_experts() -> tuple[list[Pair], list[bool]]:
    """The pairs of the questions that were not fitted on, and whether experts call the answer relevant throughout."""
    read = [r for r in rows(data_folder() / "relevance" / "haluquestqa.jsonl") if not fitted_on(r["question"])]
    return [(r["question"], r["answer"]) for r in read], [r["relevant"] for r in read]


def right_answers() -> dict[str, list[Pair]]:
    """Set → questions with right answers, none of which was fitted on."""
    manuals = rows(data_folder() / "e2e" / "azure_golden_qa.jsonl")
    passages = rows(data_folder() / "chunking" / "questions.jsonl")
    return {
        "HaluQuestQA": [pair for pair in right_pairs() if not fitted_on(pair[0])],
        "insurance manuals": [(row["question"], re.sub(r"\[[^\]]*\]", "", row["truth"])) for row in manuals],
        "passages": [(row["question"], " ".join(r["text"] for r in row["references"])) for row in passages],
    }


def judged(pairs: list[Pair], embedder: Embedder) -> list[float]:
    """The judge's values."""
    samples = [Sample("", question, answer) for question, answer in pairs]
    outcomes = JUDGES["relevance"](embedder).score(samples)
    return [outcome.value if isinstance(outcome, Score) else 0.0 for outcome in outcomes]


def cosines(pairs: list[Pair], embedder: Embedder) -> Any:
    asked = embedder.embed([question for question, _ in pairs])
    return (asked * embedder.embed([without_markers(answer) for _, answer in pairs])).sum(axis=1)


def row_of(name: str, pairs: list[Pair], labels: list[bool], embedder: Embedder) -> tuple[str, ...]:
    values = judged(pairs, embedder)
    figures = (auroc(labels, values), auroc(labels, cosines(pairs, embedder)), balanced_accuracy(labels, values))
    return name, str(len(labels)), *(f"{figure:.3f}" for figure in figures)


def short_rows(embedder: Embedder) -> list[tuple[str, ...]]:
    """Right short answers against all wrong ones, then against each kind."""
    probe = short_answers(designed_on=False)
    found = []
    for name, kinds in {"all wrong ones": WRONG, **{kind.replace("_", " "): (kind,) for kind in WRONG}}.items():
        some = [short for short in probe if short.kind in (RIGHT, *kinds)]
        pairs, labels = [(s.question, s.answer) for s in some], [s.kind == RIGHT for s in some]
        figure = f"{balanced_accuracy(labels, cosines(pairs, embedder)):.3f}"
        found.append((*row_of(f"right against {name}", pairs, labels, embedder), figure))
    return found


def measure() -> Report:
    """Experts' labels, then right answers against each kind of wrong ones."""
    embedder = Remembering(default_embedder())
    found = [row_of("HaluQuestQA, experts: relevant throughout", *held_out_experts(), embedder)]
    sets = right_answers()
    sets["HaluQuestQA, one sentence"] = shortened(sets["HaluQuestQA"], embedder)
    for name, right in sets.items():
        for kind, wrong in wrong_pairs(right, embedder).items():
            labels = [True] * len(right) + [False] * len(wrong)
            found.append(row_of(f"{name}, {kind}", [*right, *wrong], labels, embedder))
    head = ("set", "rows", "AUROC", "AUROC of cosine", "balanced accuracy at 0.5")
    tables = (
        Table("Right answers against wrong ones:", head, tuple(found)),
        Table("Short answers, our own probe:", (*head, "that of cosine"), tuple(short_rows(embedder))),
    )
    return Report("Relevance against human labels", (), tables)


if __name__ == "__main__":
    alone(measure)
