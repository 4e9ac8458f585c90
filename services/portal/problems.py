"""Answers that say no: RFC 9457 problem details, which say what is wrong and what would be accepted."""

from http import HTTPStatus
from typing import Literal

import orjson
from pydantic import BaseModel
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
POSITIONS = "Adjudex-Positions"
"""The header that says which moment an answer shows."""
Cause = Literal[
    "unknown-parameter",
    "repeated-parameter",
    "invalid-parameter",
    "unknown-row",
    "unknown-path",
    "method-not-allowed",
    "not-ready",
    "failed",
]


class Problem(BaseModel):
    """A problem (RFC 9457).

    `parameter` and `value` are what is wrong, `accepted` says what would be accepted instead.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    parameter: str | None = None
    value: str | None = None
    accepted: str | None = None


class ProblemError(Exception):
    """Raised by whatever finds the problem; answered in one place."""

    def __init__(
        self,
        status: HTTPStatus,
        cause: Cause,
        detail: str,
        *,
        parameter: str | None = None,
        value: str | None = None,
        accepted: str | None = None,
        retry_after_s: int | None = None,
        positions: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.cause = cause
        self.detail = detail
        self.parameter = parameter
        self.value = value
        self.accepted = accepted
        self.retry_after_s = retry_after_s
        self.positions = positions


def answer(error: ProblemError, instance: str) -> Response:
    """Spell a problem; `instance` is the path that was asked for."""
    problem = Problem(
        type=f"urn:adjudex:problem:{error.cause}",
        title=error.cause.replace("-", " ").capitalize(),
        status=error.status,
        detail=error.detail,
        instance=instance,
        parameter=error.parameter,
        value=error.value,
        accepted=error.accepted,
    )
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.positions is not None:
        headers[POSITIONS] = error.positions
    content = orjson.dumps(problem.model_dump(exclude_none=True))
    return Response(content, error.status, headers, MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Document that an operation may answer with problems of these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
