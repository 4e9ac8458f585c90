"""What must hold once everything is delivered and every deadline has passed."""

import io
from collections.abc import Sequence

from schemas.payouts import PayoutInstructed, PayoutRetried
from schemas.topics import INPUTS
from services.kernel.duplicates import _pack
from services.kernel.engine import Engine
from services.kernel.export import read_export, write_export
from services.kernel.partition import Partition
from services.kernel.space import DUPLICATE_WINDOW, Space
from services.kernel.verify import Report, verify
from services.registry import DECISION_SERVICES, TOPIC_NAMES
from services.relay.publish import PUBLISHES
from tests.simulation.driving import drive
from tests.simulation.entries import read_entry
from tests.simulation.laws.law import LawBroken
from tests.simulation.laws.witness import Witness
from tests.simulation.world import World

_PUBLIC = tuple(topic.name for topic in INPUTS)


def check(space: Space, world: World, witness: Witness, engines: Sequence[Engine]) -> Report:
    """Check everything that can only be seen at the end; return what the verifier says."""
    _every_input_has_a_fate(world, witness)
    _every_sender_has_an_answer(space, world, witness)
    _every_claim_is_settled(world, witness)
    for engine in engines:
        _same_as_rebuilt(world, engine)
    return _verified(space, world)


def _every_input_has_a_fate(world: World, witness: Witness) -> None:
    for logbook in witness.logbooks.values():
        for topic, decided in logbook.decided.items():
            end = len(world.records[topic, logbook.partition])
            if decided != end:
                raise LawBroken(f"{topic}/{logbook.partition}: decided up to {decided} of {end}")


def _every_sender_has_an_answer(space: Space, world: World, witness: Witness) -> None:
    answered = {tuple(position.partition("@")[::2]) for position in witness.published.outcomes}
    for topic in _PUBLIC:
        for partition in range(space.partitions):
            for record in world.records[topic, partition][1:]:
                place = f"{incarnation(world, topic)}/{partition}/{record.offset}"
                if (topic, place) not in answered:
                    raise LawBroken(f"{topic}/{partition}/{record.offset} has no outcome")


def incarnation(world: World, topic: str) -> str:
    """Return the life of a topic."""
    return world._incarnations[topic]


def _every_claim_is_settled(world: World, witness: Witness) -> None:
    """Every approved claim is paid, or its payout is open or suspended; and the executor was told of each attempt."""
    for name, claim in witness.covers.claims.items():
        if claim.approved is None:
            continue
        payout = witness.payouts.books.get(claim.approved.payout)
        if payout is None or (claim.status == "paid") != (payout.status == "confirmed"):
            raise LawBroken(f"claim {name} is {claim.status}, its payout {payout and payout.status}")
    attempts = {
        (content.payout, content.attempt)
        for partition in range(world.partitions)
        for record in world.records["payouts.events", partition][1:]
        if isinstance(content := read_entry(record).content, (PayoutInstructed, PayoutRetried))
    }
    if attempts != witness.published.instructions.keys():
        raise LawBroken(f"instructed {sorted(attempts)}, published {sorted(witness.published.instructions)}")


def _same_as_rebuilt(world: World, engine: Engine) -> None:
    """Rebuild a partition from its log alone, and compare it with the one that lived through it all."""
    live = engine.partition
    rebuilt = Partition(live.space, live.service, live.index, live.incarnations, live.fingerprint)
    for record in world.records[live.service.log, live.index]:
        rebuilt.apply(record)
    for core in (live, rebuilt):
        core.next_offsets = {topic: max(offset, 1) for topic, offset in core.next_offsets.items()}
    for part in ("states", "facts", "sequences", "chain", "next_offsets", "last_at", "release"):
        if getattr(live, part) != getattr(rebuilt, part):
            text = (
                f"{live.service.name}/{live.index}: {part} is {getattr(live, part)}, rebuilt {getattr(rebuilt, part)}"
            )
            raise LawBroken(text)
    if _remembered(live) != _remembered(rebuilt):
        raise LawBroken(f"{live.service.name}/{live.index}: what it remembers of ids is not what its log says")
    if live.earliest() != rebuilt.earliest():
        raise LawBroken(f"{live.service.name}/{live.index}: the deadlines differ")


def _remembered(core: Partition) -> dict[str, str]:
    """Return what a partition remembers of ids that a repeat decided next could still meet."""
    since = max(core.last_at.values()) - DUPLICATE_WINDOW
    entries = (item for _, items in core.memory.dump() for item in items)
    return {key: entry for key, entry in entries if _pack.unpack(bytes.fromhex(entry))[2] >= since}


def _verified(space: Space, world: World) -> Report:
    file = io.BytesIO()
    drive(write_export(space, TOPIC_NAMES, world, file))
    file.seek(0)
    report = verify(read_export(file), DECISION_SERVICES, PUBLISHES)
    if not report.clean:
        raise LawBroken(
            "the export does not verify:\n" + "\n".join(f"{where}: {what}" for where, what in report.findings)
        )
    return report
