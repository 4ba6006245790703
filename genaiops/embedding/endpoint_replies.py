"""What an embeddings endpoint answers: vectors that can be trusted, or an error that says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from genaiops.embedding.protocol import Vectors
from genaiops.endpoints import one_line, retry_after
from genaiops.errors import ModelError, ModelTimeout

if TYPE_CHECKING:
    import httpx2

_TOO_MANY, _SERVER_ERRORS = 429, 500
_REMEDIES = {
    400: "the endpoint refuses these texts: lower chunking.size, embedding.batch_texts or embedding.batch_tokens",
    401: "check the API key in the environment variable {variable}",
    403: "check the API key in the environment variable {variable}",
    404: "does it know the model {model!r}? correct embedding.model or embedding.base_url",
    413: "lower embedding.batch_texts or embedding.batch_tokens",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a model is asked. `url` is shown to users and carries no credentials; `key` never leaves."""

    model: str
    url: str
    key_variable: str
    key: str = field(repr=False)

    @property
    def where(self) -> str:
        return f"embedding model {self.model}"

    def error(
        self,
        what: str,
        *,
        remedy: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
        again: bool = False,
    ) -> ModelError:
        """`what` the endpoint did, without the key wherever it came from; `again`: the same may succeed later."""
        said = f"{self.url} {what}"
        return ModelError(
            said.replace(self.key, "***") if self.key else said,
            where=self.where,
            remedy=remedy or "check that embedding.base_url is an OpenAI-compatible endpoint with embeddings",
            status=status,
            retryable=again,
            retry_after_s=retry_after_s,
        )

    def transport_error(self, error: httpx2.HTTPError, limit_s: float) -> ModelError:
        import httpx2

        if isinstance(error, httpx2.TimeoutException):
            return ModelTimeout(
                f"{self.url} gave no answer within {limit_s:.3g} s",
                where=self.where,
                remedy="start the endpoint, raise embedding.timeout_s, or lower embedding.batch_texts",
            )
        if isinstance(error, httpx2.ConnectError):
            remedy = "start the endpoint, or correct embedding.base_url"
        else:
            remedy = "try again; if it keeps breaking, read the endpoint's log"
        return self.error(f"cannot be reached or broke off: {one_line(error)}", remedy=remedy, again=True)


def failure(status: int, headers: Mapping[str, str], content: bytes, at: Address) -> ModelError:
    """An answer that is not 200. Only 429 and 5xx are worth another try."""
    said, code = _said(content)
    what = f"answered {status}{': ' + said if said else ''}"
    if status == _TOO_MANY and code == "insufficient_quota":
        return at.error(what, status=status, remedy="the account is out of quota: add credit or use another model")
    if status == _TOO_MANY or status >= _SERVER_ERRORS:
        remedy = "the endpoint is overloaded or down: try again later, or lower embedding.concurrency"
        return at.error(what, status=status, remedy=remedy, retry_after_s=retry_after(headers), again=True)
    if 300 <= status < 400:
        return at.error(what, status=status, remedy="redirects are not followed: write the final address as base_url")
    remedy = _REMEDIES.get(status, "the endpoint refuses this request as it stands: read its log")
    return at.error(what, status=status, remedy=remedy.format(variable=at.key_variable, model=at.model))


def _said(content: bytes) -> tuple[str, str]:
    """The endpoint's own words and error code, "" where it gave none."""
    try:
        error = json.loads(content)["error"]
        return one_line(error["message"]), str(error.get("code") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def vectors_of(content: bytes, count: int, dimension: int | None, at: Address) -> Vectors:
    """`count` unit vectors, float32 `[count, dimension]`, in the order of the texts.

    Raises ModelError unless the answer holds exactly one vector for each text, all of one length (`dimension`
    where it is known), all finite and none zero.
    """
    try:
        rows = json.loads(content)["data"]
        numbered = {row["index"]: row["embedding"] for row in rows}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise at.error("answered with something that holds no embeddings") from None
    if len(rows) != count or numbered.keys() != set(range(count)) or any(isinstance(n, bool) for n in numbered):
        raise at.error(f"sent {len(rows)} vectors, numbered {_shown(numbered)}, for {count} texts")
    lists = [numbered[position] for position in range(count)]
    if not all(isinstance(row, list) and all(type(value) in (int, float) for value in row) for row in lists):
        raise at.error("sent vectors that are no lists of numbers")
    lengths = sorted({len(row) for row in lists})
    wanted = dimension or lengths[0]
    if lengths != [wanted] or not wanted:
        raise at.error(
            f"sent vectors of {', '.join(map(str, lengths))} numbers, {wanted} are expected",
            remedy="set embedding.dimensions to what the model gives, and build again",
        )
    try:
        vectors = np.array(lists, dtype=np.float64)
    except OverflowError:  # an integer of hundreds of digits
        raise at.error("sent vectors with numbers that are not finite") from None
    # Scaled by the largest number first: squares of numbers near the limits of a float overflow or vanish.
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        raise at.error("sent vectors with numbers that are not finite")
    if not largest.all():
        raise at.error("sent a vector of zeros, which has no direction")
    vectors /= largest
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors.astype(np.float32)
    return unit


def _shown(numbered: Mapping[Any, Any]) -> str:
    names = ", ".join(one_line(name) for name in list(numbered)[:5])
    return names + (", …" if len(numbered) > 5 else "") or "not at all"
