"""Asking the query API, in this process, as anybody would ask over HTTP."""

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from services.kernel.space import Space
from services.kernel.store import Store

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.views.running import Views

_WRONG = ("unknown-path", "unknown-parameter", "repeated-parameter", "invalid-parameter")
_DATABASE = "sqlite+aiosqlite:///:memory:"


class Answered(NamedTuple):
    """An HTTP answer: its status, and the JSON of its body."""

    status: int
    content: Any

    @property
    def is_wrong_question(self) -> bool:
        """Whether nobody could answer this, whatever happened before."""
        problem = self.content.get("type", "") if isinstance(self.content, dict) else ""
        return str(problem).rpartition(":")[2] in _WRONG


class Asker:
    """Asks one space's query API; its read model is in memory, and made when something is asked for the first time."""

    def __init__(self, space: Space, store: Store) -> None:
        self._space, self._store = space, store
        self._views: Views | None = None
        self._app: FastAPI | None = None

    async def ask(self, path: str) -> Answered:
        """Ask for a path, once everything that is in the logs is read."""
        if self._views is None or self._app is None:
            from services.portal.app import create_app
            from services.views.database import Database
            from services.views.running import Views

            self._views = await Views.open(Database(_DATABASE), self._space, self._store)
            self._app = create_app(self._views.model)
        await self._views.catch_up()
        return await _get(self._app, path)

    async def close(self) -> None:
        """Close the read model."""
        if self._views is not None:
            await self._views.close()


async def _get(app: "FastAPI", path: str) -> Answered:
    """Send one GET through ASGI, without a server or a socket."""
    route, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": route,
        "raw_path": route.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"scenario")],
        "client": ("scenario", 0),
        "server": ("scenario", 80),
    }
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = int(message["status"])
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")

    await app(scope, receive, send)
    try:
        return Answered(status, orjson.loads(body))
    except ValueError:
        return Answered(status, body.decode(errors="replace"))
