"""What went wrong at an OpenAI-compatible endpoint, in words that say what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genaiops.endpoints import one_line, retry_after
from genaiops.errors import ModelError, ModelTimeout

if TYPE_CHECKING:
    import httpx2

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_REDIRECTS, _CLIENT_ERRORS, _SERVER_ERRORS = 300, 400, 500
_TRANSIENT_KINDS = frozenset({"server_error", "overloaded_error", "rate_limit_error", "rate_limit_exceeded", "timeout"})


class BrokenReply(Exception):
    """The endpoint answered with something that is no complete chat completion stream."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy or (
            "check that base_url in models.yaml is an OpenAI-compatible endpoint that streams chat completions"
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked. `url` is shown to users and carries no credentials; `key` never leaves."""

    name: str
    model: str
    url: str
    key_variable: str
    key: str = field(repr=False)
    connect_s: float = 5.0
    silence_s: float = 30.0
    is_openai: bool = False  # OpenAI's own, not a compatible one

    def error(self, what: str, *, remedy: str, retryable: bool = False, status: int | None = None) -> ModelError:
        return ModelError(
            self.masked(what), where=f"model {self.name}", remedy=remedy, retryable=retryable, status=status
        )

    def timeout(self, what: str, *, remedy: str = "") -> ModelTimeout:
        faster = f"raise timeout_s of {self.name!r} in models.yaml, or use a faster model"
        return ModelTimeout(what, where=f"model {self.name}", remedy=remedy or faster)

    def masked(self, text: str) -> str:
        """`text` without the API key, wherever it came from."""
        return text.replace(self.key, "***") if self.key else text


def model_error(error: Exception, at: Endpoint) -> Exception:
    """A failure of a call as the ModelError a user can act on; anything else is a bug of ours and comes back as it is.

    Only transport faults, 429 and 5xx are retryable.
    """
    import httpx2
    import openai

    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
    if isinstance(error, openai.APIStatusError):
        return _status_error(error, at)
    if isinstance(cause, (ValueError, RecursionError)):
        cause = BrokenReply("sent events that are not JSON")
    if isinstance(cause, BrokenReply):
        return at.error(f"{at.url} {cause}", remedy=cause.remedy)
    if isinstance(cause, httpx2.HTTPError):
        return _transport_error(cause, at)
    if isinstance(error, openai.APIError):
        return _error_event(error, at)
    return error


def _transport_error(cause: httpx2.HTTPError, at: Endpoint) -> ModelError:
    import httpx2

    start = "start the endpoint, or correct base_url in models.yaml"
    if isinstance(cause, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return at.timeout(f"cannot reach {at.url}: no connection within {at.connect_s:g} s", remedy=start)
    if isinstance(cause, httpx2.TimeoutException):
        return at.timeout(f"{at.url} sent nothing for {at.silence_s:g} s")
    if isinstance(cause, httpx2.ConnectError):
        return at.error(f"cannot reach {at.url}: {one_line(cause)}", remedy=start, retryable=True)
    remedy = "try again; if it keeps breaking, read the endpoint's log"
    return at.error(f"the connection to {at.url} broke: {one_line(cause)}", remedy=remedy, retryable=True)


def _status_error(error: Any, at: Endpoint) -> ModelError:
    status: int = error.status_code
    said = _said(error)
    what = f"{at.url} answered {status}{': ' + said if said else ''}"
    if status == _TOO_MANY and error.code == "insufficient_quota":
        return at.error(what, status=status, remedy="the account is out of quota: add credit or use another model")
    if status == _TOO_MANY or status >= _SERVER_ERRORS:
        remedy = "the endpoint is overloaded or down: try again later"
        made = at.error(what, status=status, retryable=True, remedy=remedy)
        made.retry_after_s = retry_after(error.response.headers)
        return made
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        remedy = f"check the API key in the environment variable {at.key_variable}"
    elif status == _NOT_FOUND:
        remedy = f"does it know the model {at.model!r}? correct model or base_url of {at.name!r} in models.yaml"
    elif _REDIRECTS <= status < _CLIENT_ERRORS:
        remedy = "redirects are not followed: write the final address as base_url in models.yaml"
    else:
        remedy = "the endpoint refuses this request as it stands: check the prompt's options and the model's limits"
    return at.error(what, status=status, remedy=remedy)


def _error_event(error: Any, at: Endpoint) -> ModelError:
    """An error that came inside a stream, where a status can no longer be sent."""
    retryable = bool({error.code, error.type} & _TRANSIENT_KINDS)
    return at.error(
        f"{at.url} broke off with an error: {_said(error)}", remedy="read the endpoint's log", retryable=retryable
    )


def _said(error: Any) -> str:
    """The endpoint's own words, one short printable line."""
    body = error.body
    if isinstance(body, dict):
        said = body.get("message")
        text = said if isinstance(said, str) else ""
    else:
        text = body if isinstance(body, str) else ""
    return one_line(text)
