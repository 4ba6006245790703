"""Errors in OpenAI's shape. They say what a caller may know; the log says the rest, under the same request id."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genaiops.errors import GenaiopsError, ModelError, ModelTimeout

_RETRY_S = 5  # when the endpoint names no wait of its own
_MAX_RETRY_S = 3600


class ApiError(Exception):
    """One refusal or failure, as the caller gets it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that must be changed before it can succeed."""
    return ApiError(400, message, param=param, code=code)


def busy(message: str, *, retry_s: float = 1) -> ApiError:
    """No room now; the same request may succeed soon."""
    return ApiError(
        503, message, kind="server_error", code="overloaded", headers={"Retry-After": str(math.ceil(retry_s))}
    )


def failed(error: BaseException, model_id: str) -> ApiError:
    """What a failed generation looks like from outside: no addresses, paths or keys of ours."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ModelTimeout):
        return _upstream(504, f"the model behind {model_id} took too long", "upstream_timeout", error)
    if isinstance(error, ModelError) and error.retryable:
        return _upstream(503, f"the model behind {model_id} cannot answer now", "upstream_unavailable", error)
    if isinstance(error, ModelError):
        return _upstream(502, f"the model behind {model_id} gave no usable answer", "upstream_error", None)
    if isinstance(error, GenaiopsError):
        return ApiError(503, f"{model_id} cannot answer as it stands", kind="server_error", code="release_unusable")
    return ApiError(500, "an error of the service; its log has the details", kind="server_error", code="internal_error")


def _upstream(status: int, message: str, code: str, error: ModelError | None) -> ApiError:
    wait = _RETRY_S if error is None or error.retry_after_s is None else min(error.retry_after_s, _MAX_RETRY_S)
    headers = {} if error is None else {"Retry-After": str(math.ceil(wait))}
    return ApiError(status, message, kind="server_error", code=code, headers=headers)
