"""What every Generator does, whatever writes its words."""

from __future__ import annotations

import pytest

from genaiops.generation import REFUSAL, Generation, GenerationRequest, Generator
from genaiops.records import Chunk, Hit, Message, Query

PASSAGES = (
    ("guide.md", 40, "A kettle is descaled with vinegar. It is rinsed twice afterwards."),
    ("notes.md", 7, "Returns are possible within 30 days of delivery."),
)
HITS = tuple(
    Hit(Chunk(document, start, start + len(text), text, "s", text), 1.0, rank, {"vector": 0.9})
    for rank, (document, start, text) in enumerate(PASSAGES, start=1)
)


def request_of(question: str, hits: tuple[Hit, ...] = HITS) -> GenerationRequest:
    return GenerationRequest(Query(question), hits, (Message("system", "Cite."), Message("user", question)))


class GeneratorContract:
    """Subclass it, and give `generator`: one that answers `answered` and refuses `unanswered`."""

    @pytest.fixture
    def generator(self) -> Generator:
        raise NotImplementedError

    @pytest.fixture
    def answered(self) -> GenerationRequest:
        return request_of("What is a kettle descaled with?")

    @pytest.fixture
    def unanswered(self) -> GenerationRequest:
        return request_of("Who composed the opera Tosca?", ())

    def test_it_answers_and_says_with_which_model(self, generator: Generator, answered: GenerationRequest) -> None:
        made = generator.generate(answered)
        assert isinstance(made, Generation)
        assert made.text.strip()
        assert not made.refused
        assert made.model == generator.model != ""
        assert made.finish_reason

    def test_the_pieces_joined_are_the_text(self, generator: Generator, answered: GenerationRequest) -> None:
        pieces: list[str] = []
        made = generator.generate(answered, pieces.append)
        assert pieces
        assert all(pieces)
        assert "".join(pieces) == made.text

    def test_every_citation_is_a_span_of_a_hit_that_its_marker_names(
        self, generator: Generator, answered: GenerationRequest
    ) -> None:
        made = generator.generate(answered)
        assert made.citations
        for citation in made.citations:
            chunk = answered.hits[citation.marker - 1].chunk
            assert f"[{citation.marker}]" in made.text
            assert (citation.chunk_id, citation.document_id) == (chunk.id, chunk.document_id)
            assert chunk.start <= citation.start < citation.end <= chunk.end
            assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote

    def test_a_refusal_is_said_and_marked_and_cites_nothing(
        self, generator: Generator, unanswered: GenerationRequest
    ) -> None:
        pieces: list[str] = []
        made = generator.generate(unanswered, pieces.append)
        assert (made.refused, made.text, made.citations) == (True, REFUSAL, ())
        assert "".join(pieces) == REFUSAL

    def test_an_exception_out_of_emit_ends_the_generation(
        self, generator: Generator, answered: GenerationRequest
    ) -> None:
        class Enough(Exception):
            pass

        heard: list[str] = []

        def stop(piece: str) -> None:
            heard.append(piece)
            raise Enough

        with pytest.raises(Enough):
            generator.generate(answered, stop)
        assert len(heard) == 1

    def test_tokens_are_counted_and_never_negative(self, generator: Generator, answered: GenerationRequest) -> None:
        usage = generator.generate(answered).usage
        assert usage.input_tokens >= 0
        assert usage.output_tokens >= 0
