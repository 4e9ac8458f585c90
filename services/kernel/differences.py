"""What a stored record says that it must not: only the parts that differ, for whoever reads a finding."""

from collections.abc import Iterator
from typing import Any

import orjson

from schemas.envelope import Outgoing, Record

_FIELDS_MAX, _BYTES_MAX = 5, 300
_ABSENT = object()


def difference(expected: Outgoing, stored: Record) -> str | None:
    """Say in which part a stored record differs from what it must be, or None."""
    if expected.key != stored.key:
        return _differs("key", stored.key, expected.key)
    if expected.value != stored.value:
        return _of_values(stored.value, expected.value)
    must_headers, has_headers = dict(expected.headers), dict(stored.headers)
    for name in sorted(must_headers.keys() | has_headers.keys(), key=_after_others):
        if must_headers.get(name) != has_headers.get(name):
            return _differs(f"header {name}", has_headers.get(name), must_headers.get(name))
    return None if expected.headers == stored.headers else "its headers stand in another order"


def _after_others(name: str) -> tuple[bool, str]:
    """Order headers by name, but the chain last: it differs whenever another does."""
    return name == "ce_chain", name


def _differs(part: str, has: bytes | None, must: bytes | None) -> str:
    return f"{part} is {_short(has)}, must be {_short(must)}"


def _short(content: bytes | None) -> str:
    return "absent" if content is None else content[:_BYTES_MAX].decode(errors="replace")


def _of_values(has: bytes | None, must: bytes | None) -> str:
    """Say which fields of a value differ; of one that is no JSON, or the same JSON in other bytes, show the bytes."""
    try:
        fields = [*_fields("value", orjson.loads(has or b""), orjson.loads(must or b""))]
    except orjson.JSONDecodeError:
        fields = []
    more = [f"and {len(fields) - _FIELDS_MAX} fields more"] if len(fields) > _FIELDS_MAX else []
    return "; ".join([*fields[:_FIELDS_MAX], *more]) or _differs("value", has, must)


def _fields(path: str, has: Any, must: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Go through the fields that differ, in the order of their names."""
    if isinstance(has, dict) and isinstance(must, dict):
        for name in sorted(has.keys() | must.keys()):
            yield from _fields(f"{path}.{name}", has.get(name, _ABSENT), must.get(name, _ABSENT))
    elif isinstance(has, list) and isinstance(must, list) and len(has) == len(must):
        for number, (one, other) in enumerate(zip(has, must, strict=True)):
            yield from _fields(f"{path}[{number}]", one, other)
    elif type(has) is not type(must) or has != must:
        yield _differs(path, _spelled(has), _spelled(must))


def _spelled(value: Any) -> bytes | None:  # noqa: ANN401 - JSON
    return None if value is _ABSENT else orjson.dumps(value)
