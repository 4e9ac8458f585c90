"""One pool, products it carries, and what can be asked and said of it."""

from typing import Literal

from schemas.envelope import Message
from schemas.governance import PoolListed, ProductHalted, ProductListed, ProductOpened, RulebookPublished
from schemas.incidents import IncidentAlarmed, IncidentDecided
from schemas.instants import DAY, SECOND
from schemas.payouts import PayoutConfirmed
from schemas.pools import (
    ClaimExposure,
    DepositCapital,
    IncidentSettled,
    PoolTerms,
    RequestCapitalWithdrawal,
    RequestCover,
    SettlementLines,
    Tranche,
    WithdrawCapital,
)
from schemas.rulebook import (
    Agreement,
    Ballot,
    ClaimRules,
    Corroboration,
    IncidentRules,
    Intake,
    PayoutTerms,
    Quorum,
    Rulebook,
    Settlement,
    StakedElectorate,
    StakeWeight,
)
from services.kernel.specification import Specification
from services.pools.books import check
from services.pools.decider import PoolDecider
from services.pools.facts import Facts, PoolsFacts

HOUR = 3_600 * SECOND
START = 20_000 * DAY
"""When everything begins: a midnight."""
GRACE = 35 * DAY
CUT_OFF = 14 * DAY
NOTICE = 7 * DAY
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
DAI = "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"
ALICE = "eip155:1:0x" + "a" * 40
BOB = "eip155:1:0x" + "b" * 40
CAROL = "eip155:1:0x" + "c" * 40

PAYOUT = PayoutTerms(first_retry=HOUR, multiplier=2, longest_retry=DAY, attempts_max=4, receipt_within=DAY)
TERMS = PoolTerms(
    capacity_bps=20_000,
    product_bps=5_000,
    dependency_bps=6_000,
    floor_rate_bps=100,
    ceiling_rate_bps=1_100,
    reserve_bps=2_000,
    junior_bps=7_500,
    period_min=30 * DAY,
    period_max=365 * DAY,
    notice=NOTICE,
    payout=PAYOUT,
)
UNLIMITED = TERMS.model_copy(update={"product_bps": 10_000, "dependency_bps": 10_000})
"""One product may use all capacity."""
LISTED = PoolListed(pool="core", title="Core", asset=USDC, terms=TERMS)
BALLOT = Ballot(
    stage="ballot",
    electorate=StakedElectorate(kind="staked"),
    weight=StakeWeight(kind="stake", at="opening"),
    secrecy="open",
    window=3 * DAY,
    end_inclusive=False,
    quorum=Quorum(of="eligible-stake", share_bps=1_000, comparison="more-than"),
    agreement=Agreement(of="cast", share_bps=5_000, comparison="more-than"),
    tie="draw",
    empty="draw",
    unresolved="draw",
    revote="refused",
    excluded=("claimant",),
)


def published(version: int = 1, *, cut_off: int | None = CUT_OFF, grace: int = GRACE) -> RulebookPublished:
    rules = ClaimRules(
        intake=Intake(waiting_period=0, grace=grace, not_before=0, expiry_inclusive=False, grace_inclusive=False),
        settlement=None if cut_off is None else Settlement(cut_off=cut_off),
        procedure=(BALLOT,),
        payout=PAYOUT,
    )
    incident = IncidentRules(
        join_window=DAY,
        report_within=DAY,
        procedure=(Corroboration(stage="corroboration", required_weight=1, window=DAY, unmet="deny"),),
    )
    rulebook = Rulebook(name="house", version=version, title="House", incident=incident, claim=rules)
    return RulebookPublished(rulebook=rulebook, sha256=f"{version:064x}")


def product(name: str, **changes: object) -> ProductListed:
    values = {
        "product": name,
        "title": name,
        "peril": "exploit",
        "asset": USDC,
        "rulebook": "house@1",
        "rulebook_sha256": f"{1:064x}",
        "pool": "core",
    }
    return ProductListed.model_validate(values | changes)


def knowing(*facts: Message, since: Facts | None = None) -> Facts:
    fold = PoolsFacts()
    known = fold.initial() if since is None else since
    for fact in facts:
        known = fold.evolve(known, fact)
    return known


FACTS = knowing(published(), product("P", dependencies=("bridge",)), product("Q", peril="depeg"))


class Books(Specification):
    """A specification that holds the books against their laws after every event."""

    def given(self, *events: object) -> "Books":
        for event in events:
            super().given(event)  # type: ignore[arg-type]
            check(self.state.books)
            assert not sum(int(posting.amount_minor) for posting in getattr(event, "postings", ()))
        return self

    def told(self) -> dict[str, int]:
        """The lines of the last decision, by claim."""
        lines = [line for event in self.events if isinstance(event, SettlementLines) for line in event.lines]
        return {line.claim: line.amount_minor for line in lines}

    def settled(self) -> IncidentSettled:
        (event,) = (event for event in self.events if isinstance(event, IncidentSettled))
        return event

    def balances(self) -> tuple[int, int, int]:
        """Reserve, junior, senior."""
        books = self.state.books
        return books.reserve, books.junior, books.senior


def unopened(facts: Facts = FACTS) -> Books:
    return Books(PoolDecider(), facts=facts, key="pool/core")


def opened(facts: Facts = FACTS, terms: PoolTerms = TERMS) -> Books:
    pool = unopened(facts)
    pool.when(LISTED.model_copy(update={"terms": terms}), at=START)
    return pool


def funded(junior: int = 400, senior: int = 600, *, facts: Facts = FACTS, terms: PoolTerms = TERMS) -> Books:
    """Alice has all junior, Bob all senior capital."""
    pool = opened(facts, terms)
    if junior:
        pool.when(deposit(junior, "junior", ALICE), at=START)
    if senior:
        pool.when(deposit(senior, "senior", BOB), at=START)
    return pool


def deposit(
    amount_minor: int, tranche: Tranche = "senior", provider: str = ALICE, transaction: str = "0x1"
) -> DepositCapital:
    return DepositCapital(
        pool="core", provider=provider, tranche=tranche, amount_minor=amount_minor, transaction=transaction
    )


def leave(shares_minor: int, tranche: Tranche = "senior", provider: str = BOB) -> RequestCapitalWithdrawal:
    return RequestCapitalWithdrawal(pool="core", provider=provider, tranche=tranche, shares_minor=shares_minor)


def withdraw(tranche: Tranche = "senior", provider: str = BOB) -> WithdrawCapital:
    return WithdrawCapital(pool="core", provider=provider, tranche=tranche)


def cover(
    amount_minor: int,
    name: str = "P",
    *,
    period: int = 365 * DAY,
    premium_max_minor: int = 10**9,
    transaction: str = "0xc1",
    holder: str = CAROL,
) -> RequestCover:
    return RequestCover(
        pool="core",
        product=name,
        holder=holder,
        amount_minor=amount_minor,
        period=period,
        premium_max_minor=premium_max_minor,
        transaction=transaction,
    )


def decided(
    incident: str = "P/1", *, status: str = "confirmed", decided_at: int = START + DAY, pool: str | None = "core"
) -> IncidentDecided:
    return IncidentDecided.model_validate(
        {
            "incident": incident,
            "product": incident.partition("/")[0],
            "occurred_at": decided_at - HOUR,
            "status": status,
            "decided_at": decided_at,
            "pool": pool,
        }
    )


def alarmed(incident: str = "P/1", until: int = START + 3 * DAY) -> IncidentAlarmed:
    return IncidentAlarmed(
        incident=incident, product=incident.partition("/")[0], producer="watch", weight=9, until=until
    )


def halted(effective_at: int, until: int, name: str = "P") -> ProductHalted:
    return ProductHalted(product=name, reason="odd", by=("a", "b"), effective_at=effective_at, until=until)


def reopened(effective_at: int, until: int, name: str = "P") -> ProductOpened:
    return ProductOpened(product=name, reason="fine", by="a", effective_at=effective_at, until=until)


def claimed(
    claim: str,
    amount_minor: int,
    status: Literal["undecided", "approved", "closed"] = "undecided",
    incident: str = "P/1",
) -> ClaimExposure:
    return ClaimExposure(
        pool="core",
        claim=claim,
        cover=claim.rpartition("/")[0],
        incident=incident,
        amount_minor=amount_minor,
        status=status,
    )


def transferred(payout: str, amount_minor: int) -> PayoutConfirmed:
    """Of a claim, or of capital."""
    claim = None if payout.startswith("pool:") else payout.rpartition("/")[0]
    return PayoutConfirmed(
        payout=payout,
        claim=claim,
        cover=claim.rpartition("/")[0] if claim else None,
        pool="core",
        attempt=1,
        transaction="0xf",
        amount_minor=amount_minor,
    )


def sold(*amounts_minor: int, junior: int = 400, senior: int = 600, facts: Facts = FACTS) -> Books:
    """Covers core.1, core.2, ... of product P, for a year, of a pool that sells all its capacity for one product."""
    pool = funded(junior, senior, facts=facts, terms=UNLIMITED)
    for number, amount_minor in enumerate(amounts_minor, 1):
        pool.when(cover(amount_minor, transaction=f"0xc{number}"), at=START)
    return pool


def confirmed(*amounts_minor: int, junior: int = 400, senior: int = 600, facts: Facts = FACTS) -> Books:
    """The same, and incident P/1 is confirmed."""
    pool = sold(*amounts_minor, junior=junior, senior=senior, facts=facts)
    pool.when(decided(), at=START + DAY)
    return pool
