"""The portal as an ASGI application, and a server for it inside a process that has other things to do."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.views.database import DatabaseError
from services.views.kinds import KINDS
from services.views.model import ReadModel, ReadModelError

from . import api, console, metrics
from .problems import Problem, ProblemError, answer, responses

_log = structlog.get_logger(__name__)
_GRACE_S = 3


def create_app(model: ReadModel) -> FastAPI:
    """Make the portal over a read model, which the caller closes."""
    app = FastAPI(
        title="Adjudex",
        version="1",
        summary="What the logs of a space say: incidents, claims, cases, pools, payouts and what became of each input.",
        description=_DESCRIPTION,
        openapi_tags=[{"name": kind.name, "description": (kind.row.__doc__ or "").strip()} for kind in KINDS],
        redoc_url=None,
        docs_url=None,
        separate_input_output_schemas=False,
    )
    app.include_router(api.router(model))
    console.add(app, model)
    _add_health(app, model)
    _add_problems(app)
    metrics.add(app)
    app.add_middleware(_Head)
    _document_problems(app)
    return app


_DESCRIPTION = """\
Every answer shows one moment of the logs: the header `Adjudex-Positions` (and `positions` of a list) says which, and
given as `as_of` it shows that moment again. Amounts are strings of decimal digits in base units, instants are RFC 3339
in UTC. A row's `changed_in` is the log record of its last change.
"""


def _add_health(app: FastAPI, model: ReadModel) -> None:
    @app.get("/live", tags=["health"], summary="Whether the process answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get(
        "/ready",
        tags=["health"],
        summary="Whether there is something to read, and how far logs are read",
        responses=responses(503),
    )
    async def ready() -> dict[str, Any]:
        async with api.asking(model) as query:
            positions = await query.positions(model.logs)
        return {"ready": True, "space": model.space, "positions": str(positions)}


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> Response:
        return answer(error, request.url.path)

    @app.exception_handler(ReadModelError)
    async def nothing(request: Request, error: ReadModelError) -> Response:
        found = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", str(error), retry_after_s=1)
        return answer(found, request.url.path)

    @app.exception_handler(DatabaseError)
    @app.exception_handler(OSError)
    async def unreachable(request: Request, error: Exception) -> Response:
        _log.warning("the database does not answer", error=str(error), kind=type(error).__name__)
        detail = "the database of the read model does not answer"
        found = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", detail, retry_after_s=1)
        return answer(found, request.url.path)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            found = ProblemError(
                HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", f"{path} is read only", accepted="GET, HEAD"
            )
            held = answer(found, path)
            held.headers["Allow"] = "GET, HEAD"
            return held
        kinds = ", ".join(kind.name for kind in KINDS)
        detail = f"there is nothing at {path[:200]}"
        found = ProblemError(
            HTTPStatus(error.status_code),
            "unknown-path",
            detail,
            accepted=f"/, /live, /ready, /metrics, /openapi.json, /v1, and /v1/ with {kinds}",
        )
        return answer(found, path)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        _log.error("a request failed", path=request.url.path, exc_info=error)
        found = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "a bug: the log of this process says more")
        return answer(found, request.url.path)


def _document_problems(app: FastAPI) -> None:
    """Put the schema of problems into the document, and leave out what is never answered."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
                separate_input_output_schemas=False,
            )
            schemas = made["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            for path in made["paths"].values():
                for operation in path.values():
                    validation = operation["responses"].get("422", {}).get("content", {})
                    if "application/json" in validation:
                        del operation["responses"]["422"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for schema in schemas.values():
                _spell_defaults(schema)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _spell_defaults(schema: dict[str, Any]) -> None:
    """Spell the defaults of amounts as amounts are spelled: as text."""
    for field in schema.get("properties", {}).values():
        if field.get("type") == "string" and isinstance(field.get("default"), int):
            field["default"] = str(field["default"])


class _Head:
    """Answers HEAD as GET, without the content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process this runs in."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take an address; port 0 is any free one. Raises OSError where that is not possible."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return socket.create_server(address, family=family)


class Serving:
    """A running portal: `start` returns once it listens, `stop` once it does not any more."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Serve there; port 0 takes any free one."""
        config = uvicorn.Config(
            app, host, port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_GRACE_S
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen, and return the address, `http://<host>:<port>`; raises OSError where that is not possible."""
        listening = listen(self._server.config.host, self._server.config.port)
        self._task = asyncio.create_task(self._server.serve([listening]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)
        host, port = listening.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        """Answer what was asked, and listen no more."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
