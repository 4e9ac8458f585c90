"""Instants and spans of time.

In code an instant is an integer of milliseconds since 1970-01-01T00:00:00Z; on the wire it is an RFC 3339 string in
UTC with exactly three decimals, so that strings order as instants do and one instant has one spelling in our events.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, GetPydanticSchema, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
SECOND = 1_000
_MINUTE = 60 * SECOND
_LENGTH = len("2026-03-01T12:00:00.000Z")
DAY = 86_400_000
LONGEST = 36_500 * DAY
"""The longest span, a hundred years in milliseconds: no sum of an instant and a few spans leaves RFC 3339."""
LAST = 253_402_300_799_999
"""The last instant RFC 3339 can spell, 9999-12-31T23:59:59.999Z, in milliseconds."""


_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@lru_cache(maxsize=4096)
def parse_instant(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 string; raises ValueError when it is not one with an offset.

    What `fromisoformat` takes beyond RFC 3339 differs between versions of Python; what is an instant must not.
    """
    # Nearly all are spelled as we spell them, and many in a row lie within one minute.
    if len(text) == _LENGTH and text[19] == "." and text[23] == "Z":
        within = text[17:19] + text[20:23]
        if within.isascii() and within.isdigit() and within < "60000":
            return _parse_minute(text[:17]) + int(within)
    return _parse(text)


def _parse(text: str) -> int:
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError(text)
    return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=1024)
def _parse_minute(text: str) -> int:
    return _parse(f"{text}00Z")


@lru_cache(maxsize=4096)
def format_instant(instant: int) -> str:
    """Spell an instant: `2026-03-01T12:00:00.000Z`."""
    minute, within = divmod(instant, _MINUTE)
    second, millisecond = divmod(within, SECOND)
    return f"{_format_minute(minute)}{second:02}.{millisecond:03}Z"


@lru_cache(maxsize=1024)
def _format_minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes").removesuffix("+00:00") + ":"


_IN_CODE = core_schema.int_schema(strict=True, ge=0, le=LAST)
_ON_THE_WIRE = core_schema.chain_schema(
    [
        core_schema.str_schema(strict=True),
        core_schema.no_info_plain_validator_function(parse_instant),
        _IN_CODE,
    ]
)


def _or_must_be(schema: CoreSchema) -> CoreSchema:
    return core_schema.custom_error_schema(
        schema,
        custom_error_type="instant",
        custom_error_message="must be an RFC 3339 instant with an offset, such as 2026-03-01T12:00:00.000Z",
    )


# Told to pydantic's core instead of in a validator of our own, which would be called back for every instant of a log.
_INSTANT = core_schema.json_or_python_schema(
    json_schema=_or_must_be(_ON_THE_WIRE),
    python_schema=_or_must_be(core_schema.union_schema([_IN_CODE, _ON_THE_WIRE], mode="left_to_right")),
    serialization=core_schema.plain_serializer_function_ser_schema(
        format_instant, return_schema=core_schema.str_schema(), when_used="json"
    ),
)

Instant = Annotated[
    int,
    GetPydanticSchema(lambda _source, _handler: _INSTANT),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_RFC_3339.pattern}$"}),
]
"""An instant: `int` milliseconds in code, RFC 3339 UTC on the wire."""


_UNITS = {"d": DAY, "h": 3_600_000, "m": 60_000, "s": SECOND}
_DURATION = re.compile(r"^(?=.)(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?$")


def parse_duration(text: str) -> int:
    """Milliseconds of a span such as `3d`, `1d12h`, `90m` or `45s`; raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return sum(int(count) * unit for count, unit in zip(match.groups(), _UNITS.values(), strict=True) if count)


def format_duration(duration: int) -> str:
    """Spell a span with its largest units first; `0s` for none."""
    text, rest = "", duration
    for name, unit in _UNITS.items():
        count, rest = divmod(rest, unit)
        text += f"{count}{name}" if count else ""
    return text or "0s"


def _validate_duration(value: Any, info: ValidationInfo) -> int:  # noqa: ANN401 - a validator is handed anything
    duration = value if type(value) is int and info.mode == "python" else -1
    if type(value) is str:
        with suppress(ValueError):
            duration = parse_duration(value)
    if 0 <= duration <= LONGEST and duration % SECOND == 0:
        return duration
    kind = "duration"
    message = "must be a span such as 3d, 1d12h, 90m or 45s, at most 36500d"
    raise PydanticCustomError(kind, message)


Duration = Annotated[
    int,
    BeforeValidator(_validate_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern}),
]
"""A span of time: `int` milliseconds in code (whole seconds), `3d12h` on the wire."""
