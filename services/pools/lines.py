"""The lines of an allocation: what each claim gets, told in chunks so that no record grows with the settlement."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.pools import IncidentSettled, Line, SettlementLines
from services.kernel.decider import Deadline
from services.pools.allocation import CutOff, Owed, share
from services.pools.pool import Incident, Pending, owed, owing_claims

LINES_MAX = 200
"""Lines of one event."""


def lines_of(incident: Incident, event: IncidentSettled) -> list[Line]:
    """Derive every claim's line from an allocation, by claim id, on the incident as it was before it.

    One that pays down what was settled before (freed, income) has no lines of nothing.
    """
    claims = [Owed(name, owed(incident.claims[name])) for name in event.claims] or owing_claims(incident)
    cut = None if event.cut is None else CutOff(event.cut.remainder_minor, event.cut.claim)
    lines = []
    for claim in claims:
        amount_minor = share(claim, event.owed_minor, event.distributed_minor, cut)
        if amount_minor or event.cause in {"ample", "cut-off"}:
            lines.append(
                Line(
                    claim=claim.name,
                    owed_minor=claim.amount_minor,
                    amount_minor=amount_minor,
                    allocated_minor=incident.claims[claim.name].allocated_minor + amount_minor,
                    deferred_minor=claim.amount_minor - amount_minor,
                )
            )
    return lines


def queued(pending: tuple[Pending, ...], event: IncidentSettled, lines: Sequence[Line]) -> tuple[Pending, ...]:
    """Queue lines behind those of earlier allocations: a claim hears of its allocations in their order."""
    if not lines:
        return pending
    chunks = tuple(tuple(lines[start : start + LINES_MAX]) for start in range(0, len(lines), LINES_MAX))
    return (
        *pending,
        Pending(
            incident=event.incident,
            allocation=event.allocation,
            settled_at=event.settled_at,
            owed_minor=event.owed_minor,
            distributed_minor=event.distributed_minor,
            chunk=1,
            chunks=chunks,
        ),
    )


def telling(pool: str, pending: Pending) -> SettlementLines:
    """Tell the next chunk."""
    return SettlementLines(
        pool=pool,
        incident=pending.incident,
        allocation=pending.allocation,
        owed_minor=pending.owed_minor,
        distributed_minor=pending.distributed_minor,
        lines=pending.chunks[0],
        more=len(pending.chunks) > 1,
    )


def told(pending: tuple[Pending, ...], event: SettlementLines) -> tuple[Pending, ...]:
    """Take the chunk that was told out of the queue."""
    first, rest = pending[0], pending[1:]
    assert (first.incident, first.allocation) == (event.incident, event.allocation), (first.incident, event.incident)
    if not event.more:
        return rest
    return (replace(first, chunk=first.chunk + 1, chunks=first.chunks[1:]), *rest)


def telling_due(pending: Pending) -> Deadline:
    """Name the deadline at which the next chunk is told: at once."""
    return Deadline(f"lines/{pending.incident}/{pending.allocation}/{pending.chunk}", pending.settled_at)
