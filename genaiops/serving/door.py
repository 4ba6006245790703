"""What every request passes before any work is done for it: request id, host, API key."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genaiops.errors import GenaiopsError
from genaiops.serving.api_errors import ApiError, invalid
from genaiops.serving.keys import KeyStore

_log = logging.getLogger(__name__)
PUBLIC = frozenset({"/livez", "/readyz"})  # probes carry no key; every other path needs one
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


class Door:
    """ASGI middleware around the whole service.

    `allowed_hosts` are names that a Host header may have (None: any), so that a page in a browser cannot
    reach a service on loopback under a name of its own (DNS rebinding). `require_key` asks for a key even
    when none exists, which lets nobody in.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyStore, allowed_hosts: Sequence[str] | None, require_key: bool) -> None:
        self.app, self._keys, self._require_key = app, keys, require_key
        self._hosts = None if allowed_hosts is None else {_bare(host) for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Nothing here speaks WebSocket; the router closes such a connection unheard.
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        # Nobody is known without a key, and then only documents without access labels are found.
        scope["state"]["access"] = ()
        refused = self._refusal(scope, headers)
        if refused is None:
            await self.app(scope, receive, with_id)
        else:
            if "content-length" in headers or "transfer-encoding" in headers:
                refused.headers["Connection"] = "close"  # its body is not read, whatever it is
            await JSONResponse(refused.body, refused.status, refused.headers)(scope, receive, with_id)

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        """Why the request goes no further. One that does has its key's access labels in its state."""
        host = _HOST.fullmatch(headers.get("host", ""))
        if self._hosts is not None and (host is None or _bare(host[1]) not in self._hosts):
            return invalid("this Host is not served here", code="invalid_host")
        if scope["path"] in PUBLIC:
            return None
        try:
            if not (self._require_key or self._keys.required):
                return None
            scheme, _, key = headers.get("authorization", "").partition(" ")
            owner = self._keys.owner(key.strip()) if scheme.lower() == "bearer" else None
        except (GenaiopsError, OSError) as error:
            _log.error("no request is let in: %s", error)
            return ApiError(503, "the service cannot check API keys now", kind="server_error", code="keys_unreadable")
        if owner is not None:
            scope["state"]["access"] = owner.access
            return None
        message = "a valid API key is needed: Authorization: Bearer KEY"
        return ApiError(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})


def _bare(host: str) -> str:
    return host.strip("[]").lower()
