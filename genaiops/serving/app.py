"""The HTTP service: OpenAI's chat completions over whatever releases are current."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from genaiops import __version__
from genaiops.records import Query
from genaiops.serving.api_errors import ApiError, failed
from genaiops.serving.chat import AnswerStream, Listener, as_body, read_body, whole_answer
from genaiops.serving.door import Door
from genaiops.serving.generations import Generations, ListenerLeft
from genaiops.serving.keys import KeyStore
from genaiops.serving.openai_forms import ChatRequest, Completion, read_chat
from genaiops.serving.servable import Models, Servable, Snapshot
from genaiops.serving.settings import ServiceSettings

_log = logging.getLogger(__name__)
_CLIENT_CLOSED_REQUEST = 499
RELEASE_HEADER = "x-genaiops-release"


@dataclass
class _Service:
    """What the routes share."""

    models: Models
    settings: ServiceSettings
    generations: Generations
    upstream: dict[str, str] = field(default_factory=dict)  # model id → why its last answer failed

    async def chat(self, request: Request) -> Response:
        settings = self.settings
        raw = await read_body(request, max_bytes=settings.max_body_bytes, within_s=settings.body_s)
        asked, question = read_chat(raw, max_question=settings.max_question_characters)
        servable = _served(self.models.snapshot(), asked.model)
        query = Query(question, id=request.state.request_id, access=request.state.access)
        generation = await self.generations.start(servable, query)
        completion = Completion(asked.model, servable.release, wants_usage=asked.wants_usage)
        listener = Listener(request, generation, model_id=asked.model, completion=completion)
        try:
            response = await self._answered(listener, asked, {RELEASE_HEADER: servable.release})
            self.upstream.pop(asked.model, None)
            return response
        except ListenerLeft:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except ApiError as error:
            if str(error.body["error"]["code"]).startswith("upstream_"):
                self.upstream[asked.model] = str(error)
            error.headers[RELEASE_HEADER] = servable.release
            raise

    async def _answered(self, listener: Listener, asked: ChatRequest, headers: dict[str, str]) -> Response:
        if not asked.stream:
            body = as_body(listener.completion.whole(await whole_answer(listener)))
            return Response(body, headers=headers, media_type="application/json")
        try:
            return AnswerStream(listener, await listener.next_event(), headers)
        except BaseException:
            listener.close()
            raise

    def list_models(self) -> dict[str, Any]:
        snapshot = self.models.snapshot()
        return {"object": "list", "data": [_model(snapshot, model_id) for model_id in snapshot.models]}

    def one_model(self, model_id: str) -> dict[str, Any]:
        snapshot = self.models.snapshot()
        _served(snapshot, model_id)
        return _model(snapshot, model_id)

    def ready(self) -> JSONResponse:
        snapshot = self.models.snapshot()
        reasons = {**snapshot.problems, **self.upstream}
        problems = [{"model": model_id, "reason": reason} for model_id, reason in reasons.items()]
        if not snapshot.models and not problems:
            problems = [{"model": "", "reason": "no release is current"}]
        status = "unavailable" if not snapshot.models else "degraded" if problems else "ready"
        releases = {model_id: servable.release for model_id, servable in snapshot.models.items()}
        content = {"status": status, "models": releases, "problems": problems}
        return JSONResponse(content, status_code=200 if snapshot.models else 503)


def create_app(
    models: Models,
    *,
    keys: KeyStore,
    settings: ServiceSettings | None = None,
    require_key: bool = False,
) -> FastAPI:
    """The ASGI application. It opens nothing: `models` says what is served, `keys` who may ask.

    `require_key` asks for a key even when none exists. `serve` sets it, and `settings.allowed_hosts`, from
    the address it binds.
    """
    settings = settings or ServiceSettings()
    app = FastAPI(title="genaiops", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    generations = Generations(concurrent=settings.concurrent, queue=settings.queue, wait_s=settings.wait_s)
    service = _Service(models, settings, generations)
    app.state.service = service
    _add_routes(app, service)
    _add_errors(app)
    app.add_middleware(Door, keys=keys, allowed_hosts=settings.allowed_hosts, require_key=require_key)
    return app


def _add_routes(app: FastAPI, service: _Service) -> None:
    body = {"required": True, "content": {"application/json": {"schema": ChatRequest.model_json_schema()}}}

    @app.post("/v1/chat/completions", openapi_extra={"requestBody": body}, response_class=Response)
    async def chat_completions(request: Request) -> Response:
        """Answer the last message of the user, whole or as server-sent events."""
        return await service.chat(request)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """What can be asked, and from which release it answers."""
        return service.list_models()

    @app.get("/v1/models/{model_id:path}")
    async def model(model_id: str) -> dict[str, Any]:
        """One of them."""
        return service.one_model(model_id)

    @app.get("/livez")
    async def live() -> dict[str, str]:
        """The process answers; nothing else is looked at, so an outage elsewhere restarts nobody."""
        return {"status": "live"}

    @app.get("/readyz", response_class=JSONResponse)
    async def ready() -> JSONResponse:
        """200 while a release is loaded, with what is wrong besides; 503 while there is none."""
        return service.ready()


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> Response:
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        known = ApiError(error.status_code, f"{request.method} {request.url.path[:200]}: {error.detail}")
        return JSONResponse(known.body, known.status, {**known.headers, **(error.headers or {})})

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        known = failed(error, "")
        return JSONResponse(known.body, known.status, {"X-Request-ID": getattr(request.state, "request_id", "")})


def _served(snapshot: Snapshot, model_id: str) -> Servable:
    if model_id in snapshot.models:
        return snapshot.models[model_id]
    if not snapshot.models:
        message = "no release is loaded; /readyz says why"
        raise ApiError(503, message, kind="server_error", code="not_ready", headers={"Retry-After": "2"})
    known = ", ".join(snapshot.models)
    raise ApiError(404, f"no model {model_id!r} here; there is {known}", param="model", code="model_not_found")


def _model(snapshot: Snapshot, model_id: str) -> dict[str, Any]:
    entry = {"id": model_id, "object": "model", "created": int(snapshot.at), "owned_by": "genaiops"}
    return {**entry, "genaiops": {"release": snapshot.models[model_id].release}}
