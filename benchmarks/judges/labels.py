"""Labels for the passports of completeness and utilization.

People labelled neither. What they did label is turned round for completeness: whether a text supports a claim is
whether an answer (the text) says a wanted sentence (the claim). For utilization the answers are made: passages
around marked places, and answers that quote all of the places, one of several, or those of another question.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.judges.data import FITTED, MEASURE_ONLY, data_folder, groundedness_rows, rows
from genaiops.evaluation.passports import Labelled
from genaiops.evaluation.records import Sample

LONGEST = 3000  # characters of a text that can pass for an answer
AROUND = 400  # characters of a passage on each side of a marked place
SEVERAL = 3  # marked places from which quoting one is using less than half
CHOSEN_ON = tuple(f"{source}, claims as references" for source in FITTED)  # completeness' constants were


def completeness_labels() -> list[Labelled]:
    """Of the four sets of support, the rows with texts as short as answers: claims as references, texts as answers."""
    return [
        Labelled(
            Sample(row["id"], "", "\n\n".join(row["contexts"]), (), row["answer"]),
            float(row["grounded"]),
            f"{source}, claims as references",
        )
        for source in (*FITTED, *MEASURE_ONLY)
        for row in groundedness_rows(source)
        if sum(map(len, row["contexts"])) <= LONGEST
    ]


def utilization_labels(seed: int = 0) -> list[Labelled]:
    """Answers that use all marked places (1) against one of several, and against none (the label: the share used)."""
    questions = rows(data_folder() / "chunking" / "questions.jsonl")
    corpora = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((data_folder() / "chunking" / "corpora").glob("*.md"))
    }
    rng = random.Random(seed)
    found: list[Labelled] = []
    for row in questions:
        others = [other for other in questions if other["corpus"] == row["corpus"] and other["id"] != row["id"]]
        found += _answers(row, rng.choice(others), rng.choice(others), corpora[row["corpus"]])
    return found


def _answers(row: dict[str, Any], another: dict[str, Any], aside: dict[str, Any], text: str) -> Iterator[Labelled]:
    places = row["references"]
    contexts = tuple(_passages([*places, aside["references"][0]], text))

    def labelled(answer: Sequence[dict[str, Any]], label: float, source: str) -> Labelled:
        return Labelled(
            Sample(row["id"], row["question"], " ".join(place["text"] for place in answer), contexts), label, source
        )

    for source, answer, label in (
        ("marked passages, another question's answer", another["references"], 0.0),
        ("marked passages, one of several used", places[:1], 1 / len(places)),
    ):
        if not label or len(places) >= SEVERAL:
            yield labelled(places, 1.0, source)
            yield labelled(answer, label, source)


def _passages(places: Sequence[dict[str, Any]], text: str) -> Iterator[str]:
    """A passage around each place, those that meet as one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted((max(0, p["start"] - AROUND), min(len(text), p["end"] + AROUND)) for p in places):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return (text[start:end] for start, end in spans)
