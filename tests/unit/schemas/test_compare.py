"""What breaks a sender, a reader, or what is stored."""

from typing import Annotated, Any, Literal, get_type_hints

import pytest
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from schemas.envelope import Message
from schemas.money import AmountMinor, PositiveAmountMinor
from tools.schemas.compare import breaks
from tools.schemas.models import Schema, schema_of

Fields = dict[str, tuple[object, object]]
"""Annotations and defaults of fields that are otherwise; `...` is no default."""


class Line(Message):
    """A part."""

    amount_minor: AmountMinor


class Before(Message):
    """As it was."""

    wire = "test.before.v1"
    name: Annotated[str, Field(max_length=10)]
    kind: Literal["a", "b"]
    amount_minor: AmountMinor
    count: Annotated[int, Field(ge=1, le=9)] = 1
    note: str | None = None
    lines: Annotated[tuple[Line, ...], Field(max_length=4)] = ()
    shares: dict[str, AmountMinor] = Field(default_factory=dict)


class PositiveLine(Message):
    """A part, of which less is taken."""

    amount_minor: PositiveAmountMinor


def _changed(fields: Fields, *, written: bool = False) -> list[str]:
    """Compare with a model in which some fields are otherwise; a field of None is left out."""
    hints = get_type_hints(Before, include_extras=True)
    known: Fields = {name: (hints[name], _default(field)) for name, field in Before.model_fields.items()}
    wanted: dict[str, Any] = {name: field for name, field in {**known, **fields}.items() if field[0] is not None}
    after = create_model("After", __base__=Message, **wanted)
    after.wire = Before.wire
    return breaks(_schema(Before, written), _schema(after, written), written=written)


def _default(field: FieldInfo) -> object:
    return ... if field.is_required() else field.get_default(call_default_factory=True)


def _schema(model: type[Message], written: bool) -> Schema:
    return schema_of(model, written=written)


def test_nothing_breaks__when_only_words_change() -> None:
    old = _schema(Before, written=True)
    new = {**old, "description": "Otherwise.", "title": "Other"}
    assert breaks(old, new, written=True) == []


_BROKEN: dict[str, tuple[Fields, str]] = {
    "a field removed": ({"note": (None, ...)}, "note: field removed"),
    "a field made required": ({"note": (str | None, ...)}, "note: field made required"),
    "a new field that is required": ({"extra": (str, ...)}, "extra: field made required"),
    "a type narrowed": ({"note": (str, None)}, "note: narrowed: type null is not taken"),
    "another type": ({"name": (int, ...)}, "name: narrowed: from string to integer"),
    "a value removed": ({"kind": (Literal["a"], ...)}, "kind: no longer a value: 'b'"),
    "a text shorter": (
        {"name": (Annotated[str, Field(max_length=9)], ...)},
        "name: narrowed: maxLength from 10 to 9",
    ),
    "a number bounded": (
        {"count": (Annotated[int, Field(ge=2, le=9)], 1)},
        "count: narrowed: minimum from 1 to 2",
    ),
    "an amount positive": (
        {"amount_minor": (PositiveAmountMinor, ...)},
        "amount_minor: narrowed: pattern from ^(0|[1-9][0-9]{0,77})$ to ^[1-9][0-9]{0,77}$",
    ),
    "a part narrowed": (
        {"lines": (Annotated[tuple[PositiveLine, ...], Field(max_length=4)], ())},
        "lines[].amount_minor: narrowed: pattern",
    ),
    "fewer entries": (
        {"lines": (Annotated[tuple[Line, ...], Field(max_length=3)], ())},
        "lines: narrowed: maxItems from 4 to 3",
    ),
    "values of a map": ({"shares": (dict[str, PositiveAmountMinor], {})}, "shares{}: narrowed: pattern"),
    "another default": ({"count": (Annotated[int, Field(ge=1, le=9)], 2)}, "count: default changed from 1 to 2"),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_a_change_breaks_an_input__when_something_is_taken_no_more(name: str) -> None:
    fields, said = _BROKEN[name]
    [finding] = _changed(fields)
    assert finding.startswith(said)


_HARMLESS: dict[str, Fields] = {
    "a field that may be left away": {"extra": (str | None, None)},
    "a value more": {"kind": (Literal["a", "b", "c"], ...)},
    "a field that may be left away now": {"name": (Annotated[str, Field(max_length=10)], "x")},
    "a longer text": {"name": (Annotated[str, Field(max_length=11)], ...)},
    "more types": {"count": (Annotated[int, Field(ge=1, le=9)] | None, 1)},
}


@pytest.mark.parametrize("name", _HARMLESS)
def test_a_change_of_an_input_is_harmless__when_more_is_taken(name: str) -> None:
    assert _changed(_HARMLESS[name]) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extra": (str | None, None)}, "extra: field added"),
        ({"kind": (Literal["a", "b", "c"], ...)}, "kind: a new value: 'c'"),
        ({"name": (Annotated[str, Field(max_length=11)], ...)}, "name: widened: maxLength from 11 to 10"),
        ({"name": (Annotated[str, Field(max_length=10)] | None, ...)}, "name: widened: type null is not taken"),
    ],
)
def test_what_services_write_never_changes__even_by_more(fields: Fields, said: str) -> None:
    assert said in _changed(fields, written=True)


def test_a_field_that_goes_from_what_is_written_is_found_once() -> None:
    assert _changed({"note": (None, ...)}, written=True) == [
        "note: field removed",
        "note: field no longer always there",
    ]
