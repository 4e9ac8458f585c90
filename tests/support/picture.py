"""Everything a partition knows, to be compared with what another one knows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from schemas.envelope import Outgoing, Record
from schemas.instants import parse_instant
from services.kernel.decider import Deadline
from services.kernel.partition import Effects, Partition
from services.kernel.records import InputsPassed, ReleaseStarted

from .harness import read


class Picture(NamedTuple):
    """What a partition knows at one moment."""

    states: dict[str, Any]
    facts: Any
    sequences: dict[str, int]
    next_offsets: dict[str, int]
    last_at: dict[str, int]
    fired_at: int
    memory: list[tuple[int, list[tuple[str, str]]]]
    chain: bytes
    release: tuple[str, str] | None
    deadline: tuple[str, Deadline] | None


def picture(core: Partition) -> Picture:
    """Take a picture. Topic markers have no fate, so whether one was met is not remembered."""
    return Picture(
        dict(core.states),
        core.facts,
        dict(core.sequences),
        {topic: max(offset, 1) for topic, offset in core.next_offsets.items()},
        dict(core.last_at),
        core.fired_at,
        core.memory.dump(),
        core.chain,
        core.release,
        core.earliest(),
    )


def decide_again(
    core: Partition, log: Sequence[Record], inputs: Mapping[str, Mapping[int, Record]]
) -> list[tuple[bytes | None, bytes | None, object]]:
    """Decide whatever stands behind log records again, and return key, value and headers of what comes out."""
    effects = Effects()
    before = ""
    for record in log:
        entry = read(record)
        if isinstance(entry.content, ReleaseStarted):
            core.start_release(entry.at, effects)
        elif isinstance(entry.content, InputsPassed):
            for passed_range in entry.content.ranges:
                for passed in passed_range.inputs:
                    core.accept(core.decide(inputs[passed_range.topic][passed.offset]), effects)
            core.flush(effects)
        elif entry.headers["ce_input"] != before:
            before = entry.headers["ce_input"]
            if before.startswith("deadline/"):
                _, name, due = before.split("/")
                core.accept(core.fire(entry.key, Deadline(name, parse_instant(due)), entry.at), effects)
            else:
                topic, offset = before.partition("@")[0], int(before.rpartition("/")[2])
                core.accept(core.decide(inputs[topic][offset]), effects)
    return [spelled(outgoing) for outgoing in effects.log]


def spelled(record: Record | Outgoing) -> tuple[bytes | None, bytes | None, object]:
    """Return what of a record does not depend on where and when it was stored."""
    return record.key, record.value, record.headers
