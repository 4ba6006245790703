"""The chunker of a flow, with the tools that its strategy and its enrichers need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.chunking import Chunker, GeneratedTexts, Tools, chunker_for
from genaiops.chunking.enrichment import BY_MODEL, LACKS, checked
from genaiops.chunking.tools import Embed, TokenSpans
from genaiops.errors import ConfigurationError
from genaiops.flow.settings import FlowSettings
from genaiops.project import Project
from genaiops.records import digest_of

if TYPE_CHECKING:
    from genaiops.embedding import Vectors

__all__ = ["LACKS", "check_reach", "chunker_of", "token_spans_of"]
_TOKENIZER = "tokenizer.json"


def chunker_of(
    project: Project, settings: FlowSettings, base: Path, *, full: bool = False, strict: bool = False
) -> Chunker:
    """The chunker that flow.yaml asks for; `base` is the flow's folder.

    `full` uses no cache. `strict` makes the failure of a model that enriches an error; otherwise the chunk has the
    enricher's name in `metadata["not_enriched"]`. Raises ConfigurationError when a tool is not there.
    """
    chunking = settings.chunking
    cache = None if full else project.cache
    by_model = any(name in BY_MODEL for name, _ in checked(settings.enrichment))
    tools = Tools(
        embed=_embed(project, settings, base, cache) if chunking.strategy == "semantic" else None,
        token_spans=_token_spans(settings, base) if chunking.unit == "tokens" else None,
        strict=strict,
    )
    return chunker_for(
        chunking, settings.enrichment, _with_model(tools, project, settings, cache) if by_model else tools
    )


def _with_model(tools: Tools, project: Project, settings: FlowSettings, cache: Path | None) -> Tools:
    from dataclasses import replace

    from genaiops.flow.models import complete_with, plan_of

    plan = plan_of(settings, project)
    # With prices and limits aside, the endpoint and the model's id there decide what it writes.
    name = digest_of([plan.card.base_url, plan.card.model]) if plan.card else ""
    return replace(tools, complete=complete_with(plan), model=name, cache=GeneratedTexts(cache))


def _embed(project: Project, settings: FlowSettings, base: Path, cache: Path | None) -> Embed:
    """In fp32 unless flow.yaml says otherwise: what `auto` takes on one machine would cut otherwise than another's."""
    from genaiops.embedding import embedder_for
    from genaiops.embedding.cache import VectorCache
    from genaiops.embedding.loading import CachedEmbedder
    from genaiops.flow.models import embedding_of

    wanted = embedding_of(settings.embedding, project)
    if wanted.precision == "auto":
        wanted = wanted.model_copy(update={"precision": "fp32"})
    embedder = CachedEmbedder(embedder_for(wanted, cache_file=cache, base=base), VectorCache(cache))

    def embed(texts: Sequence[str]) -> Vectors:
        return embedder.embed(texts)

    return embed


def check_reach(settings: FlowSettings, base: Path) -> None:
    """ConfigurationError when chunks may have more tokens than the embedder reads, and vectors are searched.

    Only a size in tokens tells; what is added to a chunk (headings, keywords) comes on top. Asked before a build and
    not while chunks are cut, so that an index of before can be made again as it was.
    """
    from genaiops.embedding.weights import most_tokens

    if settings.chunking.unit != "tokens" or settings.retrieval.search == "full_text":
        return
    path = _tokenizer(settings, base)
    most = most_tokens(path.parent)
    if most is None:
        return
    room = most - _marks_of(path)
    if settings.chunking.size > room:
        raise ConfigurationError(
            f"chunking.size is {settings.chunking.size} tokens, but {settings.embedding.model} reads {room} of a text: "
            "vector search would be blind to the rest",
            remedy=f"chunking.size: {room} at most, less the heading path and what else is put before a chunk: "
            f"{room * 4 // 5} is safe",
        )


def _token_spans(settings: FlowSettings, base: Path) -> TokenSpans:
    """The embedder's own tokenizer, without its special tokens and its limit."""
    return token_spans_of(_tokenizer(settings, base))


def _tokenizer(settings: FlowSettings, base: Path) -> Path:
    from genaiops.embedding.weights import locate

    path = locate(settings.embedding.model, base) / _TOKENIZER
    if not path.is_file():
        raise ConfigurationError(
            f"the embedding model has no {_TOKENIZER}, so its tokens cannot be counted",
            where=path.parent,
            remedy="chunking: {unit: characters}",
        )
    return path


def _marks_of(path: Path) -> int:
    """How many tokens of its own the tokenizer of a `tokenizer.json` puts around a text."""
    from tokenizers import Tokenizer

    return int(Tokenizer.from_file(str(path)).num_special_tokens_to_add(is_pair=False))


def token_spans_of(path: Path) -> Callable[[str], Sequence[tuple[int, int]]]:
    """The spans of the tokens of a text, by the tokenizer that a `tokenizer.json` describes."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def spans(text: str) -> Sequence[tuple[int, int]]:
        offsets: Sequence[tuple[int, int]] = tokenizer.encode(text, add_special_tokens=False).offsets
        return offsets

    return spans
