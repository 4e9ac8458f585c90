"""The same run with and without faults: what goes wrong must not be seen in what is decided.

It holds for calm runs: time stands still until everything that is under way has come to rest, so that crashes, stale
owners, doubtful commits, late visibility and small batches can only change the order in which partitions do their
work. Then every aggregate has the same events, at the same instants, and every public input the same outcome.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from schemas.assessors import StakeSettled
from schemas.envelope import Position
from schemas.pools import ReserveChanged
from tests.simulation.entries import read_entry
from tests.simulation.laws.law import LawBroken
from tests.simulation.laws.published import Published
from tests.simulation.workload.known import LOGS
from tests.simulation.world import World

_OFFSET = re.compile(r"\.inbox@[0-9a-f]{16}/\d+/\d+")
Story = Mapping[str, list[str]]


def story(world: World, published: Published) -> Story:
    """Tell what was decided, leaving out where records stand: of every aggregate, and of every public input."""
    told: dict[str, list[str]] = defaultdict(list)
    for log in LOGS:
        for partition in range(world.partitions):
            for record in world.records[log, partition][1:]:
                entry = read_entry(record)
                if entry.key.startswith("partition/"):
                    continue  # fates: they are in the outcomes, and how they are grouped is a matter of batches
                told[f"{log} {entry.key}"].append(f"{entry.at} {entry.since} {entry.content!r}")
    for position, outcome in published.outcomes.items():
        name = outcome.input_id if ".inbox@" in position else position
        told[f"outcome of {name}"].append(repr(outcome.model_copy(update={"log_position": "", "position": ""})))
    return {name: sorted(_OFFSET.sub("", line) for line in lines) for name, lines in told.items()}


def in_any_order(world: World) -> bool:
    """Tell whether a pool heard of two rulings, or an account of two settlements, at one instant: chance orders them.

    A pool shares out what it has in the order in which it hears of claims; how that is numbered follows.
    """
    heard: dict[tuple[str, int], Position | None] = {}
    for log in ("pools.events", "assessors.events"):
        for partition in range(world.partitions):
            for record in world.records[log, partition][1:]:
                entry = read_entry(record)
                match entry.content:
                    case ReserveChanged(status="approved" | "closed") | StakeSettled():
                        if heard.setdefault((entry.key, entry.at), entry.input) != entry.input:
                            return True
                    case _:
                        pass
    return False


def demand_same(faulty: Story, faultless: Story) -> None:
    """Demand that both stories are one."""
    for name in sorted(faulty.keys() | faultless.keys()):
        with_faults, without = faulty.get(name, []), faultless.get(name, [])
        if with_faults != without:
            surplus = "\n  ".join(line for line in with_faults if line not in without)
            lacking = "\n  ".join(line for line in without if line not in with_faults)
            raise LawBroken(f"{name}: faults added\n  {surplus}\nand took away\n  {lacking}")
