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
from services.registry import TOPIC_NAMES, decision_services
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
    for law in (witness.cases, witness.incidents, witness.stakes, witness.profiles, witness.settlements):
        law.at_the_end()
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
    """Every payout that is owed is confirmed, or open or suspended; and the executor was told of each attempt.

    No claim waits for ever, a pool knows of every transfer that it paid for, and owes what is not confirmed.
    """
    for name, claim in witness.covers.claims.items():
        confirmed = {name for name in claim.payouts if witness.payouts.is_confirmed(name)}
        if claim.status == "filed" or claim.paid != confirmed:
            raise LawBroken(
                f"claim {name} is {claim.status}; of its payouts {claim.paid} are known, {confirmed} happened"
            )
    owed = witness.payouts.debts.keys()
    if owed != witness.payouts.books.keys():
        raise LawBroken(f"owed are {sorted(owed)}, instructed {sorted(witness.payouts.books)}")
    for book in witness.pools.books.values():
        ours = {name: debt for name, debt in witness.payouts.debts.items() if debt.pool == book.name}
        unpaid = [name for name in ours if not witness.payouts.is_confirmed(name)]
        payable = sum(ours[name].amount_minor for name in unpaid)
        if book.balances["payable"] != payable or book.booked.keys() != ours.keys() - set(unpaid):
            raise LawBroken(f"pool {book.name} owes {book.balances['payable']}, but payouts {unpaid} of {payable}")
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
    for part in ("states", "facts", "sequences", "chain", "next_offsets", "last_at", "fired_at", "release"):
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
    report = verify(read_export(file), decision_services(), PUBLISHES)
    if not report.clean:
        raise LawBroken(
            "the export does not verify:\n" + "\n".join(f"{where}: {what}" for where, what in report.findings)
        )
    return report
