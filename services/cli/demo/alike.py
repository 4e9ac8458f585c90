"""Whether two spaces decided alike: the same events for each aggregate, instants, positions and hashes aside.

What a partition noted of its siblings (`facts/<n>`) is compared in any order: nothing orders what services tell that do
not wait for each other, such as the profiles of two assessors. Nor does anything order the partitions that answer a
withdrawal of stake.
"""

import re
from collections.abc import Iterator
from itertools import groupby, zip_longest
from typing import Any, NamedTuple

import orjson

from schemas.assessors import StakeWithdrawalAnswered
from services.kernel.export import Export
from services.kernel.records import InputsPassed, TopicStarted
from services.registry import LOGS

_DIFFERENCES_MAX = 20
_OF_POSITIONS = (TopicStarted.wire, InputsPassed.wire)
"""Records that say what became of offsets and are no event of an aggregate; how many offsets one names is chance."""
_DIFFERS = re.compile(
    r"(?P<instant>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<position>(?<=@)[0-9a-f]{16}/\d+/\d+)"
    r"|(?P<incarnation>(?<![0-9A-Za-z])[0-9a-f]{16}(?![0-9A-Za-z]))"
    r"|(?P<sha256>(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z]))"
    r"|(?P<duration>(?<![\w-])(?=\d+[dhms])(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?![\w-]))"
)
"""What says when, where or by which bytes, wherever it stands in a text; durations are as long as a rulebook says."""


class Happening(NamedTuple):
    """One event without what two runs of one story differ in."""

    wire: str
    content: Any


class Comparison(NamedTuple):
    """How many aggregates and events there are, and where two spaces differ."""

    aggregates: int
    events: int
    differences: list[str]


def plainly(content: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with every instant, position, hash and duration replaced by the name of what it is."""
    match content:
        case dict():
            return {name: plainly(value) for name, value in content.items()}
        case list():
            return [plainly(value) for value in content]
        case str():
            return _DIFFERS.sub(lambda found: f"<{found.lastgroup}>", content)
        case _:
            return content


def histories(export: Export) -> dict[str, list[Happening]]:
    """Return the events of each aggregate, in order; an aggregate is named with the log that it is in."""
    found: dict[str, list[Happening]] = {}
    for (topic, _), records in export.records.items():
        if topic not in LOGS:
            continue
        for record in records:
            wire = dict(record.headers)["ce_type"].decode()
            if wire in _OF_POSITIONS:
                continue
            name = f"{topic} {(record.key or b'').decode()}"
            found.setdefault(name, []).append(Happening(wire, plainly(orjson.loads(record.value or b"null"))))
    return {name: sorted(held, key=str) if " facts/" in name else _in_one_order(held) for name, held in found.items()}


def _in_one_order(held: list[Happening]) -> list[Happening]:
    """Put partitions' answers that follow each other into one order."""
    ordered: list[Happening] = []
    for wire, following in groupby(held, key=lambda happening: happening.wire):
        together = list(following)
        ordered += sorted(together, key=str) if wire == StakeWithdrawalAnswered.wire else together
    return ordered


def compare(one: Export, other: Export) -> Comparison:
    """Compare what two spaces decided."""
    here, there = histories(one), histories(other)
    differences = []
    for name in sorted(here.keys() | there.keys()):
        pairs = zip_longest(here.get(name, ()), there.get(name, ()))
        differences += [
            f"{name}, event {number}: {how}"
            for number, (left, right) in enumerate(pairs, 1)
            for how in _differ(left, right)
        ]
    return Comparison(len(here), sum(map(len, here.values())), differences[:_DIFFERENCES_MAX])


def _differ(left: Happening | None, right: Happening | None) -> Iterator[str]:
    if left is None or right is None or left.wire != right.wire:
        yield f"{left.wire if left else 'none'} here, {right.wire if right else 'none'} there"
    elif left.content != right.content:
        names = sorted(
            name
            for name in left.content.keys() | right.content.keys()
            if left.content.get(name) != right.content.get(name)
        )
        for name in names:
            yield f"{left.wire} {name} is {left.content.get(name)} here, {right.content.get(name)} there"
