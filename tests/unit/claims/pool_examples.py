"""One cover that a pool sold, and what the pool says of its claims."""

from schemas.envelope import Event
from schemas.instants import DAY
from schemas.outcomes import ArithmeticStep
from schemas.pools import AllocateClaim, ClaimExposure, IssueCover
from schemas.rulebook import Settlement
from services.claims.decider import CoverDecider
from services.claims.facts import Facts
from services.claims.service import SERVICE
from services.kernel.decider import Decided, Send
from services.kernel.specification import Specification
from tests.unit.claims.examples import (
    EVENT,
    EXPIRY,
    HOLDER,
    LISTED,
    OPEN,
    RULES,
    START,
    USDC,
    decided,
    filing,
    knowing,
    published,
    ruling,
)

CLAIM = "main.1/1"
DECIDED = EVENT + DAY
"""When incident P/1 was confirmed."""
CUT_OFF = DECIDED + 14 * DAY
SETTLED = RULES.model_copy(update={"settlement": Settlement(cut_off=14 * DAY)})
POOLED = LISTED.model_copy(update={"pool": "main"})
POOL_FACTS = knowing(published(SETTLED), POOLED, decided("P/1"), decided("P/2"))
ISSUED = IssueCover(
    cover="main.1",
    pool="main",
    product="P",
    holder=HOLDER,
    amount_minor=100,
    asset=USDC,
    starts_at=START,
    expires_at=EXPIRY,
    rulebook="house@1",
    premium_minor=3,
)
"""Like cover C-1, but sold by pool main."""


def unsold(facts: Facts = POOL_FACTS) -> Specification:
    return Specification(CoverDecider(), facts=facts, key="cover/main.1")


def sold(facts: Facts = POOL_FACTS) -> Specification:
    return unsold(facts).when(ISSUED, at=START, sender="/test/pools")


def pool_filed(facts: Facts = POOL_FACTS, amount_minor: int = 60) -> Specification:
    """Claim main.1/1 is open: 60 of 100."""
    return sold(facts).when(filing(cover="main.1", amount_minor=amount_minor), at=OPEN)


def pool_approved(amount_minor: int = 60) -> Specification:
    return pool_filed(amount_minor=amount_minor).when(ruling("accept", amount_minor, "main.1/1"), at=OPEN)


def allocation(
    amount_minor: int, number: int = 1, claim: str = "main.1/1", *, allocated_minor: int = 0, deferred_minor: int = 0
) -> AllocateClaim:
    """Allocate a line; what pools says of the claim as a whole is for others to read."""
    return AllocateClaim(
        claim=claim,
        incident="P/1",
        allocation=number,
        amount_minor=amount_minor,
        allocated_minor=allocated_minor or amount_minor,
        deferred_minor=deferred_minor,
        arithmetic=(share(amount_minor),),
    )


def share(amount_minor: int) -> ArithmeticStep:
    return ArithmeticStep(rule="share", inputs={}, result_minor=str(amount_minor))


def routed(specification: Specification) -> tuple[Send, ...]:
    return tuple(
        send
        for event in specification.events
        if isinstance(event, Event)
        for send in SERVICE.route(Decided("cover/main.1", 9, OPEN, event))
    )


def exposure(specification: Specification) -> tuple[str, int]:
    """Return what the pool hears of claim main.1/1."""
    (content,) = [send.content for send in routed(specification) if send.receiver == "pools"]
    assert isinstance(content, ClaimExposure)
    assert (content.pool, content.claim, content.cover, content.incident) == ("main", CLAIM, "main.1", "P/1")
    return content.status, content.amount_minor
