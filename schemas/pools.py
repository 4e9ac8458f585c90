"""Pools: capital, cover sold from it, what is reserved and owed, and settlement, in double-entry books.

Books are kept in base units of the pool's asset. A posting's amount is positive for a debit and negative for a
credit; the postings of an event sum to zero. Accounts:

| account | holds |
|---|---|
| cash | money in the pool (debit) |
| capital:junior, capital:senior | what providers own; junior bears losses first (credit) |
| reserve | premium put aside, which bears losses before all capital (credit) |
| payable | allocated or withdrawn, and not yet confirmed as transferred (credit) |
| unfunded | owed to claimants beyond what capital could bear (debit) |
| deferred | the same, as what claimants are owed: paid down by later premiums (credit) |
"""

from typing import Annotated, Literal

from pydantic import Field

from .envelope import Event, Input, InputTopic, Message, message
from .ids import (
    AccountId,
    AssetId,
    ClaimId,
    CoverId,
    IncidentId,
    PayoutId,
    PoolId,
    ProductId,
    RulebookId,
    Sha256,
    Text,
    TransactionId,
    pool_key,
)
from .instants import Duration, Instant
from .money import (
    AmountMinor,
    BasisPoints,
    BoundedAmountMinor,
    PositiveAmountMinor,
    PositiveBoundedAmountMinor,
)
from .outcomes import ArithmeticStep, NextStep
from .problems import spelled
from .rulebook import PayoutTerms

Tranche = Literal["junior", "senior"]
Account = Literal["cash", "capital:junior", "capital:senior", "reserve", "payable", "unfunded", "deferred"]
SignedMinor = Annotated[
    str, spelled(r"^-?(0|[1-9][0-9]{0,77})$", "a string of decimal digits, whole base units without leading zero")
]
"""A signed amount in base units, as a decimal string."""


class PoolTerms(Message):
    """What a pool sells and how; governance sets it, and it may change for what is sold from then on.

    Capacity is capital × `capacity_bps` (Nexus: 20,000, twice the capital). One product may use at most `product_bps`
    of that, and all products that depend on one thing (or are one peril) `dependency_bps`, so that one event cannot
    exceed what the pool can bear unknowingly. The yearly price is `floor_rate_bps` of the amount at no utilisation,
    rising to `ceiling_rate_bps` at full utilisation (anchors.md section 1.6), by utilisation after the sale, rounded
    up. Of a premium, `reserve_bps` go to the reserve; of the rest `junior_bps` to the junior tranche. `notice` is how
    long capital waits before it can be withdrawn.
    """

    capacity_bps: Annotated[int, Field(ge=1, le=100_000)]
    product_bps: BasisPoints
    dependency_bps: BasisPoints
    floor_rate_bps: BasisPoints
    ceiling_rate_bps: BasisPoints
    reserve_bps: BasisPoints
    junior_bps: BasisPoints
    period_min: Duration
    period_max: Duration
    notice: Duration
    payout: PayoutTerms


class Posting(Message):
    """One line of an entry in the books: positive for a debit, negative for a credit."""

    account: Account
    amount_minor: SignedMinor


Postings = tuple[Posting, ...]


class PoolInput(Input):
    """An input about one pool."""

    pool: PoolId

    def key(self) -> str:
        """Return the pool's aggregate."""
        return pool_key(self.pool)


@message("cover.request.v1")
class RequestCover(PoolInput):
    """Buy cover that starts now and lasts `period`, for at most `premium_max_minor`.

    Whoever vouches for the request collects the premium that the outcome names; `transaction` is that transfer.
    """

    product: ProductId
    holder: AccountId
    amount_minor: PositiveBoundedAmountMinor
    period: Duration
    premium_max_minor: BoundedAmountMinor
    transaction: TransactionId

    def account(self) -> str:
        """Return the holder."""
        return self.holder


class CapitalInput(PoolInput):
    """An input in the name of a capital provider."""

    provider: AccountId
    tranche: Tranche

    def account(self) -> str:
        """Return the provider."""
        return self.provider


@message("capital.deposit.v1")
class DepositCapital(CapitalInput):
    """Put capital into a tranche; each transaction counts once."""

    amount_minor: PositiveBoundedAmountMinor
    transaction: TransactionId


@message("capital.request-withdrawal.v1")
class RequestCapitalWithdrawal(CapitalInput):
    """Ask to take out shares of a tranche, after the notice; one request at a time for each tranche."""

    shares_minor: PositiveBoundedAmountMinor


@message("capital.withdraw.v1")
class WithdrawCapital(CapitalInput):
    """Take out what was asked for, once the notice is over, at what the shares are worth then."""


@message("claim.exposure.v1")
class ClaimExposure(Message):
    """Claims tells a pool what it may owe for a claim: `undecided` counts at what is claimed, `closed` at nothing."""

    pool: PoolId
    claim: ClaimId
    cover: CoverId
    incident: IncidentId
    amount_minor: AmountMinor
    status: Literal["undecided", "approved", "closed"]


@message("claim.allocate.v1")
class AllocateClaim(Message):
    """A pool gives a claim its line of an allocation: `amount_minor` now, `allocated_minor` in all, the rest deferred.

    A claim that is undecided holds it until it is decided. `arithmetic` leads to `amount_minor`.
    """

    claim: ClaimId
    incident: IncidentId
    allocation: int
    amount_minor: AmountMinor
    allocated_minor: AmountMinor
    deferred_minor: AmountMinor
    arithmetic: tuple[ArithmeticStep, ...]


@message("cover.issue.v1")
class IssueCover(Message):
    """A pool tells claims of a cover it sold."""

    cover: CoverId
    pool: PoolId
    product: ProductId
    holder: AccountId
    amount_minor: PositiveAmountMinor
    asset: AssetId
    starts_at: Instant
    expires_at: Instant
    rulebook: RulebookId
    premium_minor: AmountMinor


@message("pool.opened.v1")
class PoolOpened(Event):
    """A pool exists, with empty books."""

    pool: PoolId
    title: Text
    asset: AssetId
    terms: PoolTerms


@message("pool.terms-changed.v1")
class PoolTermsChanged(Event):
    """What the pool sells from now on, and how."""

    pool: PoolId
    title: Text
    terms: PoolTerms


@message("capital.deposited.v1")
class CapitalDeposited(Event):
    """Capital came in and `shares_minor` of the tranche were issued; the totals are those after it."""

    pool: PoolId
    provider: AccountId
    tranche: Tranche
    amount_minor: AmountMinor
    transaction: TransactionId
    shares_minor: AmountMinor
    tranche_shares_minor: AmountMinor
    share_bps: BasisPoints
    postings: Postings
    next: NextStep | None = None


@message("capital.withdrawal-requested.v1")
class CapitalWithdrawalRequested(Event):
    """Shares are to leave; they can be taken out from `available_at` on and bear losses until they are."""

    pool: PoolId
    provider: AccountId
    tranche: Tranche
    shares_minor: AmountMinor
    available_at: Instant
    next: NextStep | None = None


@message("capital.withdrawn.v1")
class CapitalWithdrawn(Event):
    """Shares were redeemed at what they are worth; the amount is paid out."""

    pool: PoolId
    provider: AccountId
    tranche: Tranche
    shares_minor: AmountMinor
    tranche_shares_minor: AmountMinor
    amount_minor: AmountMinor
    share_bps: BasisPoints
    payout: PayoutId | None
    asset: AssetId
    arithmetic: tuple[ArithmeticStep, ...]
    payout_terms: PayoutTerms
    postings: Postings
    next: NextStep | None = None


@message("cover.sold.v1")
class CoverSold(Event):
    """Cover was sold at `premium_minor`; the rulebook version is pinned to it for ever, by name and hash.

    `claimable_until` is the end of the grace, until which the amount counts against capacity; the arithmetic leads
    from utilisation to rate to premium.
    """

    pool: PoolId
    cover: CoverId
    product: ProductId
    holder: AccountId
    amount_minor: PositiveAmountMinor
    asset: AssetId
    starts_at: Instant
    expires_at: Instant
    claimable_until: Instant
    rulebook: RulebookId
    rulebook_sha256: Sha256
    premium_minor: AmountMinor
    transaction: TransactionId
    arithmetic: tuple[ArithmeticStep, ...]
    postings: Postings
    next: NextStep | None = None


@message("covers.lapsed.v1")
class CoversLapsed(Event):
    """Covers that ended on one day can no longer be claimed on: what remained of them is free again, by product."""

    pool: PoolId
    claimable_until: Instant
    amounts_minor: dict[ProductId, AmountMinor]


@message("reserve.changed.v1")
class ReserveChanged(Event):
    """A claim is reserved for at another amount, or with another status; `reserved_minor` is the incident's sum."""

    pool: PoolId
    claim: ClaimId
    cover: CoverId
    incident: IncidentId
    amount_minor: AmountMinor
    status: Literal["undecided", "approved", "closed"]
    reserved_minor: AmountMinor


@message("settlement.opened.v1")
class SettlementOpened(Event):
    """An incident of a product this pool carries was confirmed; its claims are settled at `cut_off_at` at the latest.

    `provision_minor` is what covers of the product that have not claimed could still claim. The cut-off is `window`
    after the decision, counted outside halts.
    """

    pool: PoolId
    incident: IncidentId
    product: ProductId
    occurred_at: Instant
    decided_at: Instant
    window: Duration
    cut_off_at: Instant
    provision_minor: AmountMinor


@message("settlement.moved.v1")
class SettlementMoved(Event):
    """A halt moves the cut-off, or its early end moves it back."""

    pool: PoolId
    incident: IncidentId
    cut_off_at: Instant


class Cut(Message):
    """Where the largest remainder stops: claims at or before it, by remainder falling and then by id, get one unit."""

    remainder_minor: AmountMinor
    claim: ClaimId


class Waterfall(Message):
    """Who bears what is paid now, in this order: the reserve, junior capital, senior capital."""

    reserve_minor: AmountMinor
    junior_minor: AmountMinor
    senior_minor: AmountMinor


@message("incident.settled.v1")
class IncidentSettled(Event):
    """One allocation: `distributed_minor` over claims that are owed `owed_minor`; every claim's line follows from it.

    A claim's line is its own owed amount × distributed ÷ owed, rounded down, and one unit more within `cut`.
    `cause`: `ample` (capital bears all the incident can still bring, so the one claim is paid at once), `cut-off`,
    `freed` (a held share that is not needed tops up the others), or `income` (a later premium pays deferred amounts
    down). `claims` names the claims it is over, all of the incident's when empty; `claims_count` how many they are.
    `settled_at` is when it was decided.
    """

    pool: PoolId
    incident: IncidentId
    allocation: int
    settled_at: Instant
    cause: Literal["ample", "cut-off", "freed", "income"]
    claims: tuple[ClaimId, ...]
    claims_count: int
    owed_minor: AmountMinor
    distributed_minor: AmountMinor
    deferred_minor: AmountMinor
    cut: Cut | None
    waterfall: Waterfall
    arithmetic: tuple[ArithmeticStep, ...]
    postings: Postings


class Line(Message):
    """What one claim gets of an allocation; `amount_minor` is this line, `allocated_minor` all lines so far."""

    claim: ClaimId
    owed_minor: AmountMinor
    amount_minor: AmountMinor
    allocated_minor: AmountMinor
    deferred_minor: AmountMinor


@message("settlement.lines.v1")
class SettlementLines(Event):
    """Lines of an allocation, by claim id; `more` says that further ones follow. Each is sent to its claim."""

    pool: PoolId
    incident: IncidentId
    allocation: int
    owed_minor: AmountMinor
    distributed_minor: AmountMinor
    lines: tuple[Line, ...]
    more: bool


@message("settlement.closed.v1")
class SettlementClosed(Event):
    """The cut-off has passed and every claim of the incident is decided: only what is deferred remains to be paid."""

    pool: PoolId
    incident: IncidentId
    deferred_minor: AmountMinor


@message("payout.booked.v1")
class PayoutBooked(Event):
    """A transfer out of the pool was confirmed."""

    pool: PoolId
    payout: PayoutId
    cover: CoverId | None
    amount_minor: AmountMinor
    postings: Postings


REQUESTS = InputTopic("cover.requests", (RequestCover,))
MOVEMENTS = InputTopic("capital.movements", (DepositCapital, RequestCapitalWithdrawal, WithdrawCapital))
