"""The query API: lists and single rows of every kind, each answer at one moment of the logs."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.views.kind import Joined, Kind
from services.views.kinds import BY_NAME, KINDS
from services.views.model import ReadModel
from services.views.query import Positions, Query

from .parameters import Asked, Parameters, as_of_documented, invalid, none_of
from .problems import POSITIONS, ProblemError, responses

JOINED_MAX = 200
"""How many joined rows a single row shows; the rest is a list of its own."""
_JSON = "application/json"


class Index(BaseModel):
    """What there is to ask for: the path of each kind, and how far every log is read."""

    kinds: dict[str, str]
    positions: str


@asynccontextmanager
async def asking(model: ReadModel) -> AsyncIterator[Query]:
    """Read at one moment."""
    async with model.database.reading() as connection:
        yield await Query.at(model, connection)


def router(model: ReadModel) -> APIRouter:
    """Make the routes of every kind."""
    made = APIRouter(prefix="/v1")

    @made.get(
        "", response_model=Index, tags=["index"], summary="What there is to ask for", responses=_answers(400, 503)
    )
    async def index(request: Request) -> Response:
        none_of(request.query_params)
        async with asking(model) as query:
            positions = await query.positions(model.logs)
        held = {"kinds": {kind.name: f"/v1/{kind.name}" for kind in KINDS}, "positions": str(positions)}
        return _answer(request, orjson.dumps(held), positions)

    for kind in KINDS:
        _add(made, model, kind)
    return made


def _add(made: APIRouter, model: ReadModel, kind: Kind[Any]) -> None:
    parameters = Parameters(kind)
    sections = [(joined, BY_NAME[joined.kind]) for joined in kind.joined]
    singular = kind.row.__name__.removesuffix("Row")
    described = (kind.row.__doc__ or "").strip()

    async def several(request: Request) -> Response:
        asked = parameters.of_list(request.query_params)
        async with asking(model) as query:
            positions = await _moment(query, kind.logs, asked)
            if asked.cursor is not None and not await query.has(kind, asked.cursor):
                raise invalid("cursor", str(asked.cursor), f"a cursor as `next` of {kind.name} has it")
            page = await query.page(
                kind,
                asked.filters,
                asked.limit,
                after=asked.cursor,
                oldest_first=asked.order == "oldest",
                as_of=asked.as_of,
            )
        following = None
        if page.after is not None:
            following = _link(kind, asked, str(page.after), positions)
        held = {
            "items": [orjson.Fragment(body) for body in page.bodies],
            "next": following,
            "positions": str(positions),
        }
        shown = hashlib.sha256("\n".join((*page.bodies, str(page.after))).encode()).hexdigest()
        return _answer(request, orjson.dumps(held), positions, etag=f'W/"{shown[:32]}"')

    async def one(
        request: Request,
        id: Annotated[str, Path(description="The row's id; it may contain slashes and colons as they are")],  # noqa: A002
    ) -> Response:
        asked = parameters.of_one(request.query_params)
        logs = tuple(dict.fromkeys((*kind.logs, *(log for _, other in sections for log in other.logs))))
        async with asking(model) as query:
            positions = await _moment(query, logs, asked)
            body = await query.get(kind, id, asked.as_of) if id.isprintable() else None
            if body is None:
                raise await _missing(query, kind, id, asked, positions)
            shown = [await _joined(query, joined, other, id, asked, positions) for joined, other in sections]
        content = body.encode()
        if shown:
            held = orjson.loads(body)
            for part in shown:
                held.update(part)
            content = orjson.dumps(held)
        return _answer(request, content, positions)

    made.add_api_route(
        f"/{kind.name}",
        several,
        response_model=_page_model(kind),
        name=f"list-{kind.name}",
        operation_id=f"list_{kind.name.replace('-', '_')}",
        summary=f"List {kind.name.replace('-', ' ')}",
        description=described,
        tags=[kind.name],
        openapi_extra={"parameters": parameters.documented()},
        responses=_answers(400, 422, 503),
    )
    made.add_api_route(
        f"/{kind.name}/{{id:path}}",
        one,
        response_model=_one_model(kind, sections),
        name=f"get-{kind.name}",
        operation_id=f"get_{kind.name.replace('-', '_')}",
        summary=f"Read one: {singular}",
        description=described,
        tags=[kind.name],
        openapi_extra={"parameters": [as_of_documented()]},
        responses=_answers(400, 404, 422, 503),
    )


def _page_model(kind: Kind[Any]) -> type[BaseModel]:
    return create_model(
        f"{kind.row.__name__.removesuffix('Row')}Page",
        __doc__=f"A page of {kind.name}. `next` is the path of the following one, if there is one, at the same moment.",
        items=(tuple[kind.row, ...], ...),  # type: ignore[name-defined]
        next=(str | None, ...),
        positions=(str, Field(description="The moment that this shows: of each log it rests on, how far it is read")),
    )


def _one_model(kind: Kind[Any], sections: Sequence[tuple[Joined, Kind[Any]]]) -> type[BaseModel]:
    if not sections:
        return kind.row
    fields: dict[str, Any] = {}
    for joined, other in sections:
        fields[joined.name] = (tuple[other.row, ...], ...)  # type: ignore[name-defined]
        fields[f"{joined.name}_next"] = (str | None, ...)
    name = f"{kind.row.__name__.removesuffix('Row')}Detail"
    return create_model(name, __base__=kind.row, __doc__=kind.row.__doc__, **fields)


async def _joined(
    query: Query, joined: Joined, kind: Kind[Any], row_id: str, asked: Asked, positions: Positions
) -> dict[str, Any]:
    """Read the rows that are shown with another one, the oldest first."""
    wanted = {joined.filter: row_id}
    page = await query.page(kind, wanted, JOINED_MAX, oldest_first=True, as_of=asked.as_of)
    following = None
    if page.after is not None:
        shown = Positions({log: positions.logs[log] for log in kind.logs})
        following = _link(kind, Asked(wanted, JOINED_MAX, order="oldest"), str(page.after), shown)
    return {joined.name: [orjson.Fragment(body) for body in page.bodies], f"{joined.name}_next": following}


async def _missing(query: Query, kind: Kind[Any], row_id: str, asked: Asked, positions: Positions) -> ProblemError:
    """Say that there is no such row, and whether there is one at another time."""
    accepted = f"an id as /v1/{kind.name} lists them"
    if asked.as_of is not None and row_id.isprintable() and await query.get(kind, row_id) is not None:
        accepted = "a later as_of, or none: it exists now"
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-row",
        f"there is no {row_id[:200]!r} among {kind.name}" + (" at that moment" if asked.as_of is not None else ""),
        parameter="id",
        value=row_id[:1_000],
        accepted=accepted,
        positions=str(positions),
    )


async def _moment(query: Query, logs: Sequence[str], asked: Asked) -> Positions:
    """Return the positions that are shown; raises ProblemError where logs have no such ones, or none yet."""
    if isinstance(asked.as_of, Positions):
        read = await query.positions(logs)
        missing = [log for log in logs if log not in asked.as_of.logs]
        if missing:
            raise invalid("as_of", str(asked.as_of), f"positions of {', '.join(missing)} as well, at most {read}")
        for log, ends in read.logs.items():
            wanted = asked.as_of.logs[log]
            if len(wanted) != len(ends) or any(map(int.__gt__, wanted, ends)):
                raise invalid("as_of", str(asked.as_of), f"positions of the logs that this rests on, at most {read}")
    return await query.positions(logs, asked.as_of)


def _answers(*problems: int) -> dict[int | str, dict[str, Any]]:
    """Document what an operation may answer."""
    text = {"schema": {"type": "string"}}
    headers = {
        POSITIONS: {"description": "The moment that the answer shows; given as `as_of`, it is shown again", **text},
        "ETag": {"description": "Changes with the content", **text},
    }
    unchanged = {"description": "As the ETag in If-None-Match says", "headers": headers}
    return {200: {"headers": headers}, 304: unchanged, **responses(*problems)}


def _link(kind: Kind[Any], asked: Asked, cursor: str, positions: Positions) -> str:
    place = {"limit": str(asked.limit), "order": asked.order, "as_of": str(positions), "cursor": cursor}
    query = {**asked.filters, **place}
    return f"/v1/{kind.name}?{urlencode(query, quote_via=quote, safe='/:~,')}"


def _answer(request: Request, content: bytes, positions: Positions, *, etag: str | None = None) -> Response:
    """Answer with canonical bytes, or with nothing when the asker has them already."""
    tag = etag or f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", POSITIONS: str(positions)}
    held = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag.removeprefix("W/") in held or "*" in held:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type=_JSON)
