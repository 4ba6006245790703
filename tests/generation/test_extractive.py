"""The offline generator: whole sentences, cited to their characters, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genaiops.errors import ConfigurationError
from genaiops.generation import REFUSAL, Generation, GenerationRequest
from genaiops.generation.extractive import Extractive
from genaiops.records import Chunk, Hit, Query

PAGE = (
    "# Kettles\n\nA kettle is descaled with vinegar. Rinse the kettle twice after descaling.\n\n"
    "| part | number |\n| --- | --- |\n| lid | K-17 |\n"
)
OTHER = "Returns of a kettle are possible within 30 days of delivery. The parcel is free."


def hits_of(*texts: str, vector: float = 0.8) -> tuple[Hit, ...]:
    return tuple(
        Hit(Chunk(f"{n}.md", 100 * n, 100 * n + len(text), text, "s", text), 1.0 / n, n, {"vector": vector})
        for n, text in enumerate(texts, start=1)
    )


def answered(question: str, *texts: str, **options: object) -> Generation:
    return Extractive().generate(GenerationRequest(Query(question), hits_of(*texts), (), options))


def test_the_answer_is_a_whole_sentence_with_its_marker() -> None:
    made = answered("What is a kettle descaled with?", PAGE, OTHER, sentences=1)
    assert made.text == "A kettle is descaled with vinegar. [1]"
    (citation,) = made.citations
    start = 100 + PAGE.index("A kettle")
    assert (citation.document_id, citation.start) == ("1.md", start)
    assert citation.quote == "A kettle is descaled with vinegar."
    assert citation.end == start + len(citation.quote)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_answer_has_at_most_as_many_sentences_as_the_prompt_allows(count: int) -> None:
    made = answered("How is a kettle descaled and rinsed?", PAGE, OTHER, sentences=count, support=0.0)
    assert 1 <= len(made.citations) <= count
    assert made.text.count("[") == len(made.citations)


def test_sentences_come_in_reading_order_and_none_twice() -> None:
    made = answered("How is a kettle descaled and rinsed after descaling?", PAGE, PAGE, sentences=5, support=0.0)
    places = [(citation.marker, citation.start) for citation in made.citations]
    assert places == sorted(places)
    quotes = [citation.quote for citation in made.citations]
    assert len(set(quotes)) == len(quotes)


def test_a_heading_names_a_subject_and_answers_nothing() -> None:
    made = answered("Kettles?", "# Kettles and teapots\n\nBoth are washed by hand only.", support=0.0)
    assert all(not citation.quote.startswith("#") for citation in made.citations)


def test_a_support_that_nothing_reaches_refuses_everything_and_zero_refuses_little() -> None:
    question = "What is a kettle descaled with?"
    assert answered(question, PAGE, support=0.99).refused
    assert not answered(question, PAGE, support=0.0).refused


@pytest.mark.parametrize("texts", [(), ("",), ("# Only a heading",)])
def test_without_a_sentence_there_is_a_refusal(texts: tuple[str, ...]) -> None:
    made = answered("What?", *texts, support=0.0)
    assert (made.text, made.refused, made.citations) == (REFUSAL, True, ())


def test_a_question_of_stop_words_is_no_error() -> None:
    assert isinstance(answered("What is it?", PAGE).text, str)


def test_the_same_question_has_the_same_answer_always() -> None:
    assert len({answered("How is a kettle descaled?", PAGE, OTHER).text for _ in range(5)}) == 1


def test_options_for_other_models_are_left_to_them() -> None:
    assert not answered("What is a kettle descaled with?", PAGE, temperature=0, maxOutputTokens=9).refused


@pytest.mark.parametrize(
    ("options", "told"),
    [({"sentences": 0}, "sentences"), ({"support": 1.5}, "support"), ({"sentences": "3"}, "sentences"),
     ({"support": float("nan")}, "support")],
)  # fmt: skip
def test_an_impossible_option_is_an_error_of_the_prompt(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        answered("What is a kettle descaled with?", PAGE, **options)
    assert "model.options" in caught.value.remedy


@given(
    texts=st.lists(st.text(st.sampled_from("ab kettle.\n# |`-[1]?é日"), max_size=200), max_size=4),
    question=st.text(max_size=60),
)
def test_whatever_the_passages_hold_citations_are_exact(texts: list[str], question: str) -> None:
    made = answered(f"kettle {question}", *texts, support=0.0)
    hits = hits_of(*texts)
    for citation in made.citations:
        chunk = hits[citation.marker - 1].chunk
        assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote
    assert made.refused == (not made.citations)
