"""What `/metrics` says of the portal: how many answers there were, of what kind, and how long they took."""

import time
from http import HTTPStatus

from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ANSWER_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
_SERVICE = "portal"
_NONE = "none"
"""Of what no route answers, files of the console among it: paths are anybody's to choose, and labels must be few."""


def answer_times(registry: CollectorRegistry) -> Histogram:
    """Make the histogram of how long answers take."""
    labels = ("service", "path", "status")
    return Histogram("adjudex_answer_seconds", "Time of an answer", labels, buckets=_ANSWER_S, registry=registry)


def add(app: FastAPI) -> None:
    """Measure every answer of an application, and have it say so."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    app.add_middleware(_Measured, times=answer_times(registry))

    @app.get("/metrics", include_in_schema=False)
    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


class _Measured:
    """Measures from the question to the last byte of its answer."""

    def __init__(self, app: ASGIApp, times: Histogram) -> None:
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR.value  # what fails before it answers

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_measured)
        finally:
            path = getattr(scope.get("route"), "path", _NONE)
            self._times.labels(_SERVICE, path, str(status)).observe(time.perf_counter() - began)
