"""The console's first page: incidents, claims and pools, as they are now."""

import hashlib
import re
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from services.views.kinds import BY_NAME
from services.views.model import ReadModel
from services.views.query import Query

from .api import asking
from .problems import POSITIONS

_HERE = Path(__file__).parent
_SHOWN = {"incidents": 12, "claims": 25, "pools": 12}
_LOGS = tuple(dict.fromkeys(log for name in _SHOWN for log in BY_NAME[name].logs))
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_END = 6
_GROUP = "\N{NARROW NO-BREAK SPACE}"
_TWELVE_DIGITS = rf"[0-9]{{3}}(?:{_GROUP}[0-9]{{3}}){{3}}"
_BETWEEN_PIECES = re.compile(rf"(?<=[/:,])(?!$)|(?<={_GROUP})(?={_TWELVE_DIGITS}(?:{_GROUP}{_TWELVE_DIGITS})*$)")


def amount(text: str | None) -> str:
    """Spell an amount for reading: digits in groups of three, with narrow spaces that keep a number in one piece."""
    if text is None:
        return "–"
    digits = text.removeprefix("-")
    return ("−" if text.startswith("-") else "") + f"{int(digits):,}".replace(",", _GROUP)


def owned(text: str) -> str:
    """Spell what a pool owns or owes, which its books hold as a credit."""
    return amount(text.removeprefix("-") if text.startswith("-") else f"-{text}" if text != "0" else text)


def short(text: str | None) -> str:
    """Shorten an account or an asset in the middle of its address; its chain stays."""
    if text is None:
        return "–"
    begin, mark, address = text.rpartition("0x")
    if not mark or len(address) <= 2 * _END:
        return text
    return f"{begin}0x{address[:_END]}…\N{WORD JOINER}{address[-_END:]}"


def pieces(text: str) -> list[str]:
    """Cut a text where a line may end: behind `/`, `:` and `,`, and between every twelve digits of an amount."""
    return _BETWEEN_PIECES.split(text)


def minute(text: str | None) -> str:
    """Spell an instant to the minute, in UTC."""
    return "–" if text is None else f"{text[:10]} {text[11:16]}"


def add(app: FastAPI, model: ReadModel) -> None:
    """Serve the page, its live part alone, and what it needs."""
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(amount=amount, owned=owned, short=short, minute=minute, pieces=pieces)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        # Asked for beside what is no page and so cannot name it.
        return FileResponse(_HERE / "static" / "icon.svg", media_type="image/svg+xml")

    async def shown() -> dict[str, Any]:
        async with asking(model) as query:
            held: dict[str, Any] = {"space": model.space, "positions": str(await query.positions(_LOGS))}
            for name, limit in _SHOWN.items():
                page = await query.page(BY_NAME[name], {}, limit)
                held[name] = [orjson.loads(body) for body in page.bodies]
                held[f"more_{name}"] = page.after is not None
            held["assets"] = await _assets(query, {claim["cover"] for claim in held["claims"]})
        return held

    async def page(request: Request, template: str) -> Response:
        held = await shown()
        content = templates.get_template(template).render(held).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", POSITIONS: held["positions"], **_SECURITY}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="text/html")

    @app.get("/", include_in_schema=False)
    async def whole(request: Request) -> Response:
        return await page(request, "page.html")

    @app.get("/console/live", include_in_schema=False)
    async def live(request: Request) -> Response:
        return await page(request, "live.html")


async def _assets(query: Query, covers: set[str]) -> dict[str, str]:
    """Return the asset of each cover: amounts of a claim are in that of its cover."""
    found = await query.bodies(BY_NAME["covers"], covers)
    return {cover: orjson.loads(body)["asset"] for cover, body in found.items()}
