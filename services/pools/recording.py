"""Recording an allocation: one event from which every claim's line follows, and the first of the lines."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.outcomes import ArithmeticStep
from schemas.pools import Cut, IncidentSettled, Postings, Waterfall
from services.pools.allocation import Owed, allocate
from services.pools.draft import Draft
from services.pools.lines import telling

NOTHING_BORNE = Waterfall(reserve_minor=0, junior_minor=0, senior_minor=0)


class Distribution(NamedTuple):
    """An amount that is distributed over what claims are owed, why, and who bears it.

    `named` says that the claims are not all of the incident that are owed something.
    """

    cause: Literal["ample", "cut-off", "freed", "income"]
    claims: Sequence[Owed]
    distributed_minor: int
    arithmetic: tuple[ArithmeticStep, ...]
    postings: Postings
    bears: Waterfall = NOTHING_BORNE
    named: bool = False


def record(draft: Draft, incident: str, made: Distribution, at: int) -> None:
    """Record an allocation, and tell its first lines unless earlier ones wait to be told."""
    state, cut = draft.pool.incidents[incident], allocate(made.claims, made.distributed_minor).cut
    waiting = bool(draft.pool.pending)
    draft.add(
        IncidentSettled(
            pool=draft.name,
            incident=incident,
            allocation=state.allocations + 1,
            settled_at=at,
            cause=made.cause,
            claims=tuple(each.name for each in made.claims) if made.named else (),
            claims_count=len(made.claims),
            owed_minor=sum(each.amount_minor for each in made.claims),
            distributed_minor=made.distributed_minor,
            deferred_minor=0 if made.cause == "ample" else state.unallocated_minor - made.distributed_minor,
            cut=None if cut is None else Cut(remainder_minor=cut.remainder_minor, claim=cut.name),
            waterfall=made.bears,
            arithmetic=made.arithmetic,
            postings=made.postings,
        )
    )
    if draft.pool.pending and not waiting:
        draft.add(telling(draft.name, draft.pool.pending[0]))
