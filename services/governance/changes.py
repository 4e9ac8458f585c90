"""What differs between two versions of a rulebook, for people: `path: before → after`.

Lists of stages are compared after what they have in common at their beginning and end, so that one stage put in
between is one change. Lines and their number are bounded, because an event is: who needs more compares the versions.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Any

from schemas.rulebook import Rulebook

LINES_MAX = 100
"""Differences that are named; one further line says how many there are besides."""
VALUE_MAX = 80
"""Characters of a value that are shown."""
_ABSENT = "none"


def changes(before: Rulebook, after: Rulebook) -> tuple[str, ...]:
    """Name what differs besides the version, in the order of the schema."""
    found = _compare(_content(before), _content(after), path="")
    lines = tuple(islice(found, LINES_MAX))
    more = sum(1 for _ in found)
    return (*lines, f"… and {more} more") if more else lines


def _content(rulebook: Rulebook) -> dict[str, Any]:
    return rulebook.model_dump(mode="json", exclude={"version"})


def _compare(before: Any, after: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any part of a rulebook
    if before == after:
        return
    if _is_table(before) and _is_table(after):
        yield from _compare_tables(before or {}, after or {}, path)
    elif _is_list_of_tables(before) and _is_list_of_tables(after):
        yield from _compare_lists(before or [], after or [], path)
    else:
        yield f"{path}: {_shown(before)} → {_shown(after)}"


def _compare_tables(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in (*before, *(name for name in after if name not in before)):
        yield from _compare(before.get(name), after.get(name), f"{path}.{name}" if path else name)


def _compare_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[str]:
    first = _common(before, after)
    last = _common(before[first:][::-1], after[first:][::-1])
    changed = zip_longest(before[first : len(before) - last], after[first : len(after) - last])
    for position, (old, new) in enumerate(changed, first):
        yield from _compare(old, new, f"{path}.{position}")


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Count the entries two lists begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((count for count, (left, right) in pairs if left != right), min(len(one), len(other)))


def _is_table(part: object) -> bool:
    return part is None or isinstance(part, dict)


def _is_list_of_tables(part: object) -> bool:
    return part is None or (isinstance(part, list) and all(isinstance(entry, dict) for entry in part))


def _shown(value: object) -> str:
    if value is None:
        return _ABSENT
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}…"
