"""Query parameters: read strictly, refused with what would be accepted, documented from the same declaration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.datastructures import QueryParams

from schemas.instants import parse_instant
from services.views.kind import Kind
from services.views.query import AsOf, Cursor, Positions

from .problems import ProblemError

LIMIT_DEFAULT, LIMIT_MAX = 50, 500
ORDERS = ("newest", "oldest")
_VALUE_MAX = 1_000
_INSTANT = "an RFC 3339 instant with an offset, such as 2026-03-01T12:00:00.000Z (a + is written %2B in a URL)"
_POSITIONS = "positions as the header Adjudex-Positions spells them, such as claims.events/154.220.3.9"


def invalid(parameter: str, value: str, accepted: str) -> ProblemError:
    """Say that a parameter's value is not accepted."""
    detail = f"{parameter} does not accept {value[:200]!r}"
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-parameter",
        detail,
        parameter=parameter,
        value=value[:_VALUE_MAX],
        accepted=accepted,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a kind asks for."""

    filters: Mapping[str, str] = field(default_factory=dict)
    limit: int = LIMIT_DEFAULT
    cursor: Cursor | None = None
    order: str = "newest"
    as_of: AsOf = None


def choices_of(kind: Kind[Any], name: str) -> tuple[str, ...] | None:
    """Return the values that a field of a row can have, where they are few and known."""
    schema = kind.row.model_json_schema(mode="serialization")["properties"][name]
    for one in (schema, *schema.get("anyOf", ())):
        if "enum" in one:
            return tuple(one["enum"])
    return None


class Parameters:
    """What lists of a kind accept, and a single row."""

    def __init__(self, kind: Kind[Any]) -> None:
        self.kind = kind
        self.choices = {name: choices_of(kind, name) for name in kind.filters}

    def of_list(self, given: QueryParams) -> Asked:
        """Read the parameters of a list; raises ProblemError."""
        values = _once(given, (*self.kind.filters, "limit", "cursor", "order", "as_of"))
        order = values.get("order", "newest")
        if order not in ORDERS:
            raise invalid("order", order, "newest or oldest")
        text = values.get("as_of")
        return Asked(
            {name: self._filter(name, values[name]) for name in self.kind.filters if name in values},
            _limit(values.get("limit")),
            _cursor(values.get("cursor")),
            order,
            _as_of(text),
        )

    def of_one(self, given: QueryParams) -> Asked:
        """Read the parameters of a single row; raises ProblemError."""
        text = _once(given, ("as_of",)).get("as_of")
        return Asked(as_of=_as_of(text))

    def _filter(self, name: str, value: str) -> str:
        choices = self.choices[name]
        if choices is not None and value not in choices:
            raise invalid(name, value, f"one of {', '.join(choices)}")
        if not 0 < len(value) <= _VALUE_MAX or not value.isprintable():
            raise invalid(name, value, f"1 to {_VALUE_MAX} printable characters")
        return value

    # --- documentation

    def documented(self) -> list[dict[str, Any]]:
        """Document the parameters of a list."""
        described = [
            _parameter(
                name, {"type": "string", **({"enum": list(choices)} if choices else {})}, f"Only those of {name}"
            )
            for name, choices in self.choices.items()
        ]
        return [
            *described,
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
                "How many rows an answer holds at most",
            ),
            _parameter("cursor", {"type": "string"}, "Where the page begins: taken from `next` of the page before"),
            _parameter(
                "order",
                {"type": "string", "enum": list(ORDERS), "default": "newest"},
                "By when rows began to exist",
            ),
            as_of_documented(),
        ]


def as_of_documented() -> dict[str, Any]:
    """Document the parameter that asks for another time."""
    text = (
        f"The moment that the answer shows: {_INSTANT}, or {_POSITIONS}. An instant shows what every log had decided "
        f"by then, as far as logs are read; the answer names the positions that it stood for"
    )
    return _parameter("as_of", {"type": "string"}, text)


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def none_of(given: QueryParams) -> None:
    """Refuse whatever parameter there is; raises ProblemError."""
    _once(given, ())


def _once(given: QueryParams, known: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in given.multi_items():
        if name not in known:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "unknown-parameter",
                f"there is no parameter {name[:200]!r} here",
                parameter=name[:_VALUE_MAX],
                value=value[:_VALUE_MAX],
                accepted=", ".join(known) or "no parameter",
            )
        if name in values:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "repeated-parameter",
                f"{name} stands more than once",
                parameter=name,
                value=value[:_VALUE_MAX],
                accepted="one value",
            )
        values[name] = value
    return values


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT_DEFAULT
    if text.isascii() and text.isdecimal() and len(text) < len(str(LIMIT_MAX)) + 1 and 1 <= int(text) <= LIMIT_MAX:
        return int(text)
    raise invalid("limit", text, f"a whole number from 1 to {LIMIT_MAX}")


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        raise invalid("cursor", text, "a cursor as an answer's `next` has it") from None


def _as_of(text: str | None) -> AsOf:
    if text is None:
        return None
    try:
        return Positions.parse(text) if "/" in text else parse_instant(text)
    except ValueError:
        raise invalid("as_of", text, f"{_INSTANT}, or {_POSITIONS}") from None
