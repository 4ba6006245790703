"""Questions with answers that do not answer them: other questions' answers, and evasions made by pattern."""

from __future__ import annotations

import random
import re

import numpy as np

from genaiops.embedding import Embedder

Pair = tuple[str, str]  # question, answer
NEIGHBOURS = 9  # same topic: one of these questions next to the most similar one

KINDS = {  # kind of wrong answer → `nearest` of `mismatched`
    "answer to a random question": None,
    "answer to a question on the topic": NEIGHBOURS,
    "answer to the most similar question": 0,
}
# {it}: the question's own words as a clause. The phrases and fillers of evasion.py were written for these …
KNOWN_EVASIONS = (
    "That is a great question. The question of {it} has many sides, and the answer depends on several factors.",
    "It is hard to say exactly {it}. Opinions differ, and every case is different.",
    "When you ask {it}, there are a lot of things to consider. I recommend that you consult a professional.",
    "Many people wonder {it}. More research may be needed to give a complete answer.",
    "I am not sure {it}. You may find more information in the documentation.",
    "You asked {it}.",
)
# … and are measured on those, which share no sentence with them.
EVASIONS = (
    "People often ask {it}. There is no simple answer, since it varies from one situation to the next.",
    "Thank you for asking {it}! Before going into it, one should keep in mind that this is a complicated subject.",
    "To understand {it}, various aspects have to be looked at carefully, and experts do not always agree.",
    "The matter of {it} cannot be answered in general. Please get in touch with a specialist near you.",
    "Unfortunately the available sources do not go into {it} in any depth.",
    "So the topic here is {it}. It is something that has interested people for a long time.",
)


def wrong_pairs(right: list[Pair], embedder: Embedder) -> dict[str, list[Pair]]:
    """Kind → one wrong pair for every right one."""
    others = {kind: mismatched(right, embedder, nearest=nearest) for kind, nearest in KINDS.items()}
    return {**others, "evasion": evasive(right, EVASIONS)}


def mismatched(pairs: list[Pair], embedder: Embedder, *, nearest: int | None, seed: int = 0) -> list[Pair]:
    """Every answer under another question.

    That is the most similar one (nearest=0), one of `nearest` that follow it, or one drawn at random (None).
    """
    questions = sorted({question for question, _ in pairs})
    place = {question: number for number, question in enumerate(questions)}
    rng = random.Random(seed)
    if nearest is None:
        return [(rng.choice([q for q in questions if q != question]), answer) for question, answer in pairs]
    vectors = embedder.embed(questions)
    nearness = vectors @ vectors.T
    np.fill_diagonal(nearness, -1.0)
    order = np.argsort(-nearness, axis=1)
    ranks = [rng.randint(1, nearest) if nearest else 0 for _ in pairs]
    return [(questions[int(order[place[q], rank])], a) for (q, a), rank in zip(pairs, ranks, strict=True)]


def evasive(pairs: list[Pair], patterns: tuple[str, ...], *, seed: int = 0) -> list[Pair]:
    """Every question with an evasion that repeats its words."""
    rng = random.Random(seed)
    return [(question, rng.choice(patterns).format(it=clause(question))) for question, _ in pairs]


def clause(question: str) -> str:
    """The first sentence of a question as a clause: "Why is the sky blue?" becomes "why is the sky blue"."""
    first = re.split(r"(?<=[?.!])\s", question.strip())[0].rstrip("?.! ")
    return first[:1].lower() + first[1:] if not first[:2].isupper() else first
