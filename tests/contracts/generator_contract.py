"""What every Generator must do, whoever writes the words."""

from __future__ import annotations

import pytest

from genaiops.generation import Generation, GenerationRequest, Generator, is_refusal


class GeneratorContract:
    """Subclass it and give the fixtures `generator` and `request_`, a request that the generator answers."""

    @pytest.fixture
    def generator(self) -> Generator:
        raise NotImplementedError

    @pytest.fixture
    def request_(self) -> GenerationRequest:
        raise NotImplementedError

    def test_the_pieces_joined_are_the_text(self, generator: Generator, request_: GenerationRequest) -> None:
        pieces: list[str] = []
        answer = generator.generate(request_, pieces.append)
        assert answer.text
        assert "".join(pieces) == answer.text

    def test_nobody_need_listen(self, generator: Generator, request_: GenerationRequest) -> None:
        assert isinstance(generator.generate(request_), Generation)

    def test_an_exception_of_the_listener_ends_it(self, generator: Generator, request_: GenerationRequest) -> None:
        heard: list[str] = []

        def leave(piece: str) -> None:
            heard.append(piece)
            raise InterruptedError("gone")

        with pytest.raises(InterruptedError, match="gone"):
            generator.generate(request_, leave)
        assert len(heard) == 1

    def test_the_answer_names_its_model_and_counts_its_tokens(
        self, generator: Generator, request_: GenerationRequest
    ) -> None:
        answer = generator.generate(request_)
        assert answer.model == generator.model != ""
        assert answer.usage.input_tokens >= 0
        assert answer.usage.output_tokens >= 0
        assert answer.refused == is_refusal(answer.text)

    def test_every_citation_can_be_followed_into_its_hit(
        self, generator: Generator, request_: GenerationRequest
    ) -> None:
        answer = generator.generate(request_)
        assert answer.citations, "give a request whose answer cites"
        for citation in answer.citations:
            chunk = request_.hits[citation.marker - 1].chunk
            assert (citation.chunk_id, citation.document_id) == (chunk.id, chunk.document_id)
            assert chunk.start <= citation.start < citation.end <= chunk.end
            assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote
            assert f"[{citation.marker}]" in answer.text
