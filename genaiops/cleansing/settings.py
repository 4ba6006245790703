"""The `cleansing:` section of flow.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from genaiops.configuration import Settings

DEFAULT_ENTITIES = ("PERSON", "LOCATION", "NRP", "DATE_TIME")


class PiiSettings(Settings):
    """How what `documents.redact` names is found and replaced.

    `replacement`: `label` writes `[EMAIL]`, `numbered` writes `[EMAIL_1]`, the same number for the same value
    within one document. `regions` (ISO 3166, two letters) are the countries whose national phone numbers are
    known without their `+` code. `engine: presidio` adds names, places and what else `entities` lists.
    """

    engine: Literal["rules", "presidio"] = "rules"
    replacement: Literal["label", "numbered"] = "label"
    regions: tuple[str, ...] = ()
    entities: tuple[str, ...] = DEFAULT_ENTITIES
    model: str = "en_core_web_lg"  # the spaCy pipeline that presidio loads: an installed package or a folder

    @field_validator("regions")
    @classmethod
    def _regions(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        for item in items:
            if not (len(item) == 2 and item.isascii() and item.isalpha() and item.isupper()):
                raise ValueError(f"{item!r} is no region; write two capital letters, such as US or GB")
        return items


class BoilerplateSettings(Settings):
    """When a line counts as boilerplate: it stands in at least `min_documents` documents and `min_share` of them."""

    min_documents: int = Field(default=10, ge=3)
    min_share: float = Field(default=0.3, gt=0.0, le=1.0)


class CleansingSettings(Settings):
    """`cleansing` of flow.yaml. The defaults leave clean text as it is; secrets are refused whatever is set here.

    `duplicates` says which are left out: `exact` (the same text but for white space and case, and the same
    metadata), `near` (also those whose Jaccard similarity reaches `near_duplicate`), `keep` (none). Near ones
    are reported always.
    """

    encoding: bool = True
    invisible: Literal["normalise", "mark", "off"] = "normalise"
    whitespace: bool = False
    boilerplate: BoilerplateSettings | None = None
    duplicates: Literal["exact", "near", "keep"] = "exact"
    near_duplicate: float = Field(default=0.9, ge=0.5, le=1.0)
    language: bool = True
    injections: Literal["mark", "quarantine", "off"] = "mark"
    pii: PiiSettings = PiiSettings()
