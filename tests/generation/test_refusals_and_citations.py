"""What counts as a refusal, and which markers are citations."""

from __future__ import annotations

import pytest

from genaiops.generation import REFUSAL, cite_markers, is_refusal
from genaiops.records import Chunk, Hit

HITS = tuple(Hit(Chunk(f"{n}.md", 10 * n, 10 * n + 3, "abc", "s", "abc"), 1.0, n) for n in (1, 2, 3))


@pytest.mark.parametrize(
    "text",
    [
        REFUSAL,
        f"{REFUSAL} [1]",
        f"  {REFUSAL.upper()}\n",
        "",
        " \n",
        "I cannot answer that from the documents",
        "I can't answer this.",
        "I can\u2019t find that.",
        "I'm sorry, but I cannot help with that.",
        "I'm sorry, I could not find it.",
        "I do not know.",
        "I don't have that information.",
        "I am unable to say.",
        "The documents do not mention it.",
        "The context provided does not contain it.",
        "These passages don't say.",
        "There is no information on that.",
        "No answer was found.",
        "I can't tell from the documents, but you could ask the harbour office.",
        "I do not know. However, the documents mention a fee for cranes.",
        "I cannot answer that; if you tell me more, I can try again.",
        "I am unable to say, but for more information see the guide.",
        "I don't know, sorry, but I cannot find it.",
    ],
)
def test_declining_at_the_opening_is_a_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "A gate is inconclusive when it cannot tell.",
        "Brake pads are replaced below 2 millimetres [1].",
        "The guide says 30 days. It does not mention weekends.",
        "No.",
        "The documents " + "do not say when, but they say how: first the lid is taken off. " * 8,
        "I answer from the documents: 30 days.",
        "I can't tell from the documents, but the pilot is ordered by radio on channel 11.",
        "I do not know the exact date. However, the office opens in May [1].",
        "The documents do not say when, but boats of 12 metres need a pilot.",
        "I cannot say for sure, it seems 30 days are enough.",
    ],
)
def test_an_answer_with_a_caveat_is_an_answer(text: str) -> None:
    assert not is_refusal(text)


def test_each_marker_that_names_a_hit_is_cited_once_in_order_of_appearance() -> None:
    found = cite_markers("b [2], a [1], again [2], none [0] [4] [007] [1234] [x].", HITS)
    assert [(c.marker, c.document_id, c.start, c.end, c.quote) for c in found] == [
        (2, "2.md", 20, 23, "abc"),
        (1, "1.md", 10, 13, "abc"),
    ]


@pytest.mark.parametrize("text", ["", "no marker", "[4]", "(1)"])
def test_without_a_marker_there_is_no_citation(text: str) -> None:
    assert cite_markers(text, HITS) == ()


def test_a_marker_with_leading_zeros_is_the_same_number() -> None:
    assert [c.marker for c in cite_markers("[02]", HITS)] == [2]
