"""Settlement of an incident: what capital bears now, and what is owed for later.

An incident is settled once for all its claims: at its cut-off, or as soon as all that can come are decided. Before that
a claim is paid at once only if capital bears everything the incident can still bring. So equal claims get equal
shares, whatever the order (product.md, section 6 and 13.7).
"""

from collections.abc import Sequence
from typing import Literal

from schemas.outcomes import ArithmeticStep
from schemas.pools import SettlementClosed, Waterfall
from services.pools.allocation import Owed
from services.pools.books import Books, entry
from services.pools.draft import Draft
from services.pools.pool import Incident, Pool, owed, owing_claims, provision
from services.pools.recording import Distribution, record


def settle_if_ample(draft: Draft, incident: str, claim: str, at: int) -> None:
    """Pay an approved claim in full if capital bears all that its incident can still bring.

    What is promised elsewhere comes before it: what the claims of other open incidents are reserved at, and all that
    those can bring of which a claim was already paid in full.
    """
    pool, state = draft.pool, draft.pool.incidents[incident]
    elsewhere_minor = sum(
        _can_bring(pool, other) if other.committed else other.unallocated_minor for other in _others(pool, incident)
    )
    left_minor = pool.books.free - _can_bring(pool, state) - elsewhere_minor
    if left_minor < 0:
        return
    step = ArithmeticStep(
        rule="ample: capital and reserve bear what this incident can still bring, after what is promised elsewhere",
        inputs={
            "free_minor": str(pool.books.free),
            "claimed_minor": str(state.unallocated_minor),
            "provision_minor": str(provision(pool, state)),
            "promised_elsewhere_minor": str(elsewhere_minor),
        },
        result_minor=str(left_minor),
    )
    due = Owed(claim, owed(state.claims[claim]))
    record(draft, incident, _borne(pool.books, "ample", (due,), due.amount_minor, (step,)), at)


def settle(draft: Draft, incident: str, at: int) -> None:
    """Settle an incident over all its claims that are owed something, and close it if none is undecided."""
    claims = owing_claims(draft.pool.incidents[incident])
    if claims:
        owed_minor = sum(each.amount_minor for each in claims)
        available_minor, step = _available(draft.pool, incident, owed_minor)
        record(draft, incident, _borne(draft.pool.books, "cut-off", claims, available_minor, (step,)), at)
    close_if_decided(draft, incident)


def settle_late(draft: Draft, incident: str, claim: str, at: int) -> None:
    """Give a claim that was filed in time, and heard of after the settlement, the share that the others have."""
    state = draft.pool.incidents[incident]
    due = Owed(claim, owed(state.claims[claim]))
    others_minor = state.reserved_minor - due.amount_minor
    share_minor = due.amount_minor * state.allocated_minor // others_minor if others_minor else due.amount_minor
    share = ArithmeticStep(
        rule="late: of what it is owed, the share that the other claims of the incident have so far, rounded down",
        inputs={
            "owed_minor": str(due.amount_minor),
            "allocated_to_others_minor": str(state.allocated_minor),
            "claimed_by_others_minor": str(others_minor),
        },
        result_minor=str(share_minor),
    )
    there_minor, step = _available(draft.pool, incident, due.amount_minor)
    available_minor = min(share_minor, there_minor)
    made = _borne(draft.pool.books, "cut-off", (due,), available_minor, (share, step))
    record(draft, incident, made._replace(named=True), at)


def close_if_decided(draft: Draft, incident: str) -> None:
    """Close an incident that was settled, once none of its claims is undecided."""
    state = draft.pool.incidents[incident]
    if not state.undecided:
        draft.add(SettlementClosed(pool=draft.name, incident=incident, deferred_minor=state.unallocated_minor))


def waterfall(books: Books, amount_minor: int) -> Waterfall:
    """Say who bears an amount, at most what is free: the reserve, then junior, then senior capital."""
    reserve_minor = min(amount_minor, books.reserve)
    junior_minor = min(amount_minor - reserve_minor, books.junior)
    senior_minor = amount_minor - reserve_minor - junior_minor
    assert senior_minor <= books.senior, (books, amount_minor)
    return Waterfall(reserve_minor=reserve_minor, junior_minor=junior_minor, senior_minor=senior_minor)


def _others(pool: Pool, incident: str) -> list[Incident]:
    """List the other incidents that capital still has to bear, in order."""
    others = (pool.incidents[name] for name in pool.unclosed if name != incident)
    return [other for other in others if other.stage == "open"]


def _can_bring(pool: Pool, incident: Incident) -> int:
    return incident.unallocated_minor + provision(pool, incident)


def _available(pool: Pool, incident: str, owed_minor: int) -> tuple[int, ArithmeticStep]:
    """Return what there is for an incident, with its arithmetic.

    One of which a claim was paid in full has all that is free: capital was enough for all of it then, and was kept.
    What is kept for such others is not there for this one; what is left it shares with the claims of open incidents.
    """
    first, others = pool.incidents[incident].committed, _others(pool, incident)
    committed_minor = 0 if first else sum(_can_bring(pool, other) for other in others if other.committed)
    elsewhere_minor = 0 if first else sum(other.unallocated_minor for other in others if not other.committed)
    there_minor, all_minor = max(0, pool.books.free - committed_minor), owed_minor + elsewhere_minor
    available_minor = there_minor if there_minor >= all_minor else there_minor * owed_minor // all_minor
    step = ArithmeticStep(
        rule="available: capital and reserve less what is committed elsewhere; where that is less than the claims of "
        "all open incidents need, the part of it that this incident's need makes of theirs, rounded down",
        inputs={
            "free_minor": str(pool.books.free),
            "committed_elsewhere_minor": str(committed_minor),
            "owed_minor": str(owed_minor),
            "needed_elsewhere_minor": str(elsewhere_minor),
        },
        result_minor=str(available_minor),
    )
    return available_minor, step


def _borne(
    books: Books,
    cause: Literal["ample", "cut-off"],
    claims: Sequence[Owed],
    available_minor: int,
    steps: tuple[ArithmeticStep, ...],
) -> Distribution:
    """Distribute what is available out of capital; what it does not bear is owed for later."""
    owed_minor = sum(each.amount_minor for each in claims)
    distributed_minor = min(owed_minor, available_minor)
    short_minor, bears = owed_minor - distributed_minor, waterfall(books, distributed_minor)
    postings = entry(
        debit=(
            ("reserve", bears.reserve_minor),
            ("capital:junior", bears.junior_minor),
            ("capital:senior", bears.senior_minor),
            ("unfunded", short_minor),
        ),
        credit=(("payable", distributed_minor), ("deferred", short_minor)),
    )
    step = ArithmeticStep(
        rule="distributed: the smaller of what is owed and what is available",
        inputs={"owed_minor": str(owed_minor), "available_minor": str(available_minor)},
        result_minor=str(distributed_minor),
    )
    return Distribution(cause, claims, distributed_minor, (*steps, step), postings, bears, named=cause == "ample")
