"""Instants and spans: one meaning, the same on every Python, and nothing that is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.instants import (
    DAY,
    LAST,
    SECOND,
    Duration,
    Instant,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
)

INSTANT: TypeAdapter[int] = TypeAdapter(Instant)
DURATION: TypeAdapter[int] = TypeAdapter(Duration)
NOON = 1_772_366_400_000


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T12:00:00.000Z", NOON),
        ("2026-03-01T12:00:00.5Z", NOON + 500),
        ("2026-03-01T12:00:00.0009Z", NOON),
        ("2026-03-01T12:00:00.001999999Z", NOON + 1),
        ("2026-03-01T13:00:00+01:00", NOON),
        ("2026-03-01T06:30:00-05:30", NOON),
        ("9999-12-31T23:59:59.999Z", LAST),
    ],
)
def test_an_instant_is_read(text: str, instant: int) -> None:
    assert parse_instant(text) == instant
    assert INSTANT.validate_python(text) == INSTANT.validate_json(f'"{text}"') == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "2026-03-01 12:00:00Z",
        "20260301T120000.0000Z",
        "2026-W09-7T12:00:00Z",
        "2026-060T12:00:00.000Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00z",
        "2026-03-01t12:00:00Z",
        "2026-03-01T12:00:00+0100",
        "2026-03-01T12:00:00+01:00:30",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00Z\n",
        " 2026-03-01T12:00:00Z",
        "٢٠٢٦-03-01T12:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        INSTANT.validate_python(text)


@pytest.mark.parametrize("value", ["1969-12-31T23:59:59.999Z", -1, LAST + 1, True, 1.0, None, [], b"2026"])
def test_what_is_outside_of_time_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        INSTANT.validate_python(value)


@given(st.integers(0, LAST))
def test_an_instant_is_spelled_in_one_way_and_read_back(instant: int) -> None:
    text = format_instant(instant)
    assert len(text) == len("2026-03-01T12:00:00.000Z")
    assert parse_instant(text) == instant
    assert INSTANT.dump_json(instant) == f'"{text}"'.encode()


@given(st.integers(0, LAST), st.integers(0, LAST))
def test_instants_order_as_their_spellings_do(one: int, other: int) -> None:
    assert (one < other) == (format_instant(one) < format_instant(other))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", 0),
        ("45s", 45 * SECOND),
        ("90m", 5_400_000),
        ("3d", 3 * DAY),
        ("1d12h", 36 * 3_600_000),
        ("1d1h1m1s", 90_061_000),
    ],
)
def test_a_span_is_read(text: str, duration: int) -> None:
    assert parse_duration(text) == DURATION.validate_python(text) == duration


@pytest.mark.parametrize(
    "text", ["", "3", "d", "3w", "-3d", "3.5d", "3d ", "3d\n", "1h2d", "1d1d", "٣d", "1e3s", "3D", "1234567d"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a span"):
        DURATION.validate_python(text)


@pytest.mark.parametrize("value", [-1_000, 1, 1_500, 1.0, True, None])
def test_a_span_in_code_is_whole_seconds(value: object) -> None:
    with pytest.raises(ValidationError, match="must be a span"):
        DURATION.validate_python(value)


@given(st.integers(0, 10**6 - 1), st.integers(0, 86_399))
def test_a_span_is_spelled_and_read_back(days: int, seconds: int) -> None:
    duration = days * DAY + seconds * SECOND
    assert parse_duration(format_duration(duration)) == duration
