"""What is distributed after the settlement: shares that claims held and do not need, and income."""

from schemas.outcomes import ArithmeticStep
from schemas.pools import Waterfall
from services.pools.allocation import Owed, allocate
from services.pools.books import entry
from services.pools.draft import Draft
from services.pools.pool import Incident, Pool, owing_claims
from services.pools.recording import Distribution, record


def free(draft: Draft, incident: str, dropped_minor: int, at: int) -> None:
    """Give what a claim held and does not need to the others; post away `dropped_minor` that it is owed no more.

    What nobody is owed goes back to those who bore it, in reverse order of the waterfall.
    """
    state = draft.pool.incidents[incident]
    freed_minor = state.freed_minor
    claims = owing_claims(state) if freed_minor and state.unallocated_minor else []
    distributed_minor = min(freed_minor, sum(each.amount_minor for each in claims))
    returned_minor = freed_minor - distributed_minor
    back, cleared_minor = _back(draft.pool, state, returned_minor), dropped_minor + distributed_minor
    step = ArithmeticStep(
        rule="freed: what a claim held and does not need, first to what the others are owed, the rest to who bore it",
        inputs={"freed_minor": str(freed_minor), "returned_minor": str(returned_minor)},
        result_minor=str(distributed_minor),
    )
    postings = entry(
        debit=(("payable", returned_minor), ("deferred", cleared_minor)),
        credit=(
            ("capital:senior", back.senior_minor),
            ("capital:junior", back.junior_minor),
            ("reserve", back.reserve_minor),
            ("unfunded", cleared_minor),
        ),
    )
    record(draft, incident, Distribution("freed", claims, distributed_minor, (step,), postings), at)


def pay_down(draft: Draft, income_minor: int, at: int) -> None:
    """Distribute income over what incidents still owe, by largest remainder, and within each over its claims.

    The entry that brought the income in has made it payable.
    """
    due = [Owed(name, draft.pool.incidents[name].unallocated_minor) for name in draft.pool.owing]
    owed_minor = sum(each.amount_minor for each in due)
    for each, amount_minor in zip(due, allocate(due, income_minor).amounts_minor, strict=True):
        if not amount_minor:
            continue
        step = ArithmeticStep(
            rule="income: incidents share it by what each still owes, by largest remainder, ties by incident",
            inputs={
                "income_minor": str(income_minor),
                "owed_minor": str(each.amount_minor),
                "owed_by_all_minor": str(owed_minor),
            },
            result_minor=str(amount_minor),
        )
        postings = entry(debit=(("deferred", amount_minor),), credit=(("unfunded", amount_minor),))
        claims = owing_claims(draft.pool.incidents[each.name])
        record(draft, each.name, Distribution("income", claims, amount_minor, (step,), postings), at)


def _back(pool: Pool, incident: Incident, amount_minor: int) -> Waterfall:
    """Say who gets an amount back: senior, then junior capital, up to what the same shares bore; then the reserve."""
    bore_senior = incident.senior.amount_minor if incident.senior.epoch == pool.senior.epoch else 0
    bore_junior = incident.junior.amount_minor if incident.junior.epoch == pool.junior.epoch else 0
    senior_minor = min(amount_minor, bore_senior)
    junior_minor = min(amount_minor - senior_minor, bore_junior)
    reserve_minor = amount_minor - senior_minor - junior_minor
    return Waterfall(reserve_minor=reserve_minor, junior_minor=junior_minor, senior_minor=senior_minor)
