"""Cases proposed from documents, by templates and by a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genaiops.golden_sets.drafting.choosing import Choice, Known, Search, choose
from genaiops.golden_sets.drafting.passages import Draft, passages
from genaiops.golden_sets.drafting.templates import TEMPLATES


def drafts(texts: Mapping[str, str]) -> Iterator[Draft]:
    """What the templates make of the documents, the most telling template first within each section."""
    for document, text in texts.items():
        for passage in passages(document, text):
            for template in TEMPLATES.values():
                yield from template(passage)


__all__ = ["TEMPLATES", "Choice", "Draft", "Known", "Search", "choose", "drafts"]
