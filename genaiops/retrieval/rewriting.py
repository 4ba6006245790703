"""What is searched for in place of the question, when a model is asked first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from genaiops.errors import ConfigurationError, ModelError
from genaiops.records import Message
from genaiops.retrieval.settings import RetrievalSettings, Rewrite

Complete = Callable[[Sequence[Message]], str]

_log = logging.getLogger(__name__)
MOST = 2_000  # characters of a model's reply that are searched for
INSTRUCTIONS: Mapping[Rewrite, str] = {
    "rewrite": (
        "Turn the user's question into one query for a document search engine. Name what is asked for in the words "
        "that documents would use, spell out abbreviations you are sure of, and leave out greetings. "
        "Do not answer the question. Reply with the query alone."
    ),
    "hyde": (
        "Write a passage of at most 100 words as it could stand in a document that answers the user's question. "
        "Reply with the passage alone."
    ),
}


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched for: `texts` by their mean vector, `words` by full text.

    `by` says how it came about; `none` with a `failure` is the question itself, because the model failed.
    """

    texts: tuple[str, ...]
    words: str
    by: Rewrite = "none"
    failure: str = ""


def searched_for(question: str, settings: RetrievalSettings, complete: Complete | None) -> Searched:
    """The question, or what a model makes of it.

    `rewrite` searches for the model's query with both searches. `hyde` (Gao and others, 2022) embeds a passage that
    the model makes up together with the question, and takes the words from the question alone, because those of a
    made-up answer may be wrong. Raises ModelError when the model fails, unless `settings.on_failure` is `plain`.
    """
    if settings.rewrite == "none":
        return Searched((question,), question)
    if complete is None:
        raise ConfigurationError(
            f"retrieval.rewrite: {settings.rewrite} needs a model",
            remedy="name one: generation: {model: …}, or set retrieval.rewrite: none",
        )
    try:
        made = complete((Message("system", INSTRUCTIONS[settings.rewrite]), Message("user", question))).strip()[:MOST]
        if not made:
            raise ModelError("the model that rewrites questions gave no text", retryable=False)
    except ModelError as error:
        if settings.on_failure == "raise":
            raise
        _log.warning("searching for the question itself, because the model that rewrites it failed: %s", error)
        return Searched((question,), question, failure=str(error))
    return searched_as(question, made, settings)


def searched_as(question: str, made: str, settings: RetrievalSettings) -> Searched:
    """What is searched for when the model made `made` of the question; "" where it was not asked or failed."""
    if not made or settings.rewrite == "none":
        return Searched((question,), question)
    if settings.rewrite == "hyde":
        return Searched((question, made), question, "hyde")
    return Searched((made,), made, "rewrite")
