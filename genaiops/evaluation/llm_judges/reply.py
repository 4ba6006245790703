"""What a judging model replied, checked: everything that is not exactly a verdict on this case is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from genaiops.endpoints import one_line
from genaiops.evaluation.llm_judges.prompt import LEVELS

_MOST_CLAIMS = 2_000
_LONGEST_QUOTE = 20_000  # characters


class InvalidReply(Exception):
    """The reply is no verdict; the text says why, in words that go into an Unscored."""


def _whole(value: object) -> object:
    """4.0 is 4: endpoints without a schema write it so. Nothing else is bent into shape."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Mark = Annotated[Whole, Field(ge=0, le=LEVELS)]
Verdict = Literal["supported", "unsupported", "contradicted", "none"]


class _Part(BaseModel):
    # Unknown keys say nothing that is used, and models without a schema like to add a "reasoning".
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class Claim(_Part):
    """One claim of sentence number `sentence` (from 1), decided by `quote` of context number `context` (from 1)."""

    sentence: Annotated[Whole, Field(ge=1)]
    verdict: Verdict
    context: Whole = 0
    quote: Annotated[str, Field(max_length=_LONGEST_QUOTE)] = ""


class Reply(_Part):
    """A verdict on one case. Marks are 0 to 4; `completeness` is None where nothing is expected."""

    token: str
    claims: Annotated[tuple[Claim, ...], Field(max_length=_MOST_CLAIMS, strict=False)]
    relevance: Mark
    completeness: Mark | None
    utilization: Mark


def read_reply(text: str, *, token: str, sentences: int, wants_completeness: bool) -> Reply:
    """The verdict in a model's text. Raises InvalidReply for anything that is none on these `sentences` sentences."""
    data = _json_object(text)
    if data.get("token") != token:
        raise InvalidReply("the judge's verdict does not carry the token of this call; it may be copied from the text")
    try:
        reply = Reply.model_validate(data)
    except ValidationError as error:
        raise InvalidReply(f"the judge's verdict is invalid: {_first(error)}") from None
    if wants_completeness and reply.completeness is None:
        raise InvalidReply("the judge gave no completeness")
    _check_sentences(reply.claims, sentences)
    return reply


def _check_sentences(claims: Sequence[Claim], count: int) -> None:
    spoken = {claim.sentence for claim in claims}
    if beyond := sorted(number for number in spoken if number > count):
        raise InvalidReply(f"the judge spoke of sentence {beyond[0]}, the answer has {count}")
    if missing := sorted(set(range(1, count + 1)) - spoken):
        raise InvalidReply(f"the judge left out sentence {missing[0]} of {count}")


def _json_object(text: str) -> dict[str, Any]:
    """The one JSON object of a text, also within a code fence or prose; no NaN, no key twice."""
    first, last = text.find("{"), text.rfind("}")
    if first < 0 or last < first:
        raise InvalidReply(f"the judge's reply holds no JSON object: {one_line(text)!r}")
    try:
        data = json.loads(text[first : last + 1], parse_constant=_no_constant, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        raise InvalidReply(f"the judge's reply is not JSON: {one_line(text)!r}") from None
    if not isinstance(data, dict):
        raise InvalidReply("the judge's reply is no JSON object")
    return data


def _no_constant(name: str) -> float:
    raise InvalidReply(f"the judge's verdict is invalid: it holds {name}")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise InvalidReply("the judge's verdict is invalid: it holds a key twice")
    return data


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    item = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, item["loc"]))
    return one_line(f"{place}: {item['msg']}, got {item['input']!r:.60}")
