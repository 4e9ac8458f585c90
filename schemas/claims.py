"""Claims: the register of covers, filings, and a claim's life until it is paid."""

from typing import Annotated

from pydantic import Field

from .envelope import Event, Input, InputTopic, Message, message
from .ids import (
    AccountId,
    AssetId,
    CaseId,
    ClaimId,
    CoverId,
    IncidentId,
    PayoutId,
    PoolId,
    ProductId,
    RulebookId,
    Sha256,
    Text,
    cover_key,
)
from .instants import Instant
from .money import AmountMinor, PositiveAmountMinor
from .outcomes import ArithmeticStep, NextStep
from .problems import spelled
from .rulebook import PayoutTerms


class Evidence(Message):
    """A document, by the hash of its bytes."""

    sha256: Sha256
    media_type: Annotated[
        str, spelled(r"^[\w.+-]+/[\w.+-]+$", "a media type, such as text/plain"), Field(max_length=100)
    ]
    size_bytes: Annotated[int, Field(ge=0, le=2**40)]
    description: Text


class CoverInput(Input):
    """An input about one cover."""

    cover: CoverId

    def key(self) -> str:
        """Return the cover's aggregate."""
        return cover_key(self.cover)


class ClaimantInput(CoverInput):
    """An input in the name of the claimant."""

    claimant: AccountId

    def account(self) -> str:
        """Return the claimant."""
        return self.claimant


@message("cover.register.v1")
class RegisterCover(CoverInput):
    """A cover that another system sold; `rulebook` is pinned to it for ever."""

    product: ProductId
    holder: AccountId
    amount_minor: PositiveAmountMinor
    asset: AssetId
    starts_at: Instant
    expires_at: Instant
    rulebook: RulebookId


@message("claim.file.v1")
class FileClaim(ClaimantInput):
    """Claim an amount under a cover for an incident."""

    incident: IncidentId
    amount_minor: PositiveAmountMinor
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=64)] = ()


@message("claim.add-evidence.v1")
class AddEvidence(ClaimantInput):
    """Add documents to an open claim."""

    claim: ClaimId
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1, max_length=64)]


@message("claim.reduce.v1")
class ReduceClaim(ClaimantInput):
    """Ask for less."""

    claim: ClaimId
    amount_minor: PositiveAmountMinor


@message("claim.withdraw.v1")
class WithdrawClaim(ClaimantInput):
    """Withdraw an open claim."""

    claim: ClaimId


@message("cover.registered.v1")
class CoverRegistered(Event):
    """A cover exists; from here only its rulebook version counts. `pool` sold it, or it was registered."""

    cover: CoverId
    product: ProductId
    holder: AccountId
    amount_minor: PositiveAmountMinor
    asset: AssetId
    starts_at: Instant
    expires_at: Instant
    rulebook: RulebookId
    pool: PoolId | None = None
    premium_minor: AmountMinor = 0
    claimable_until: Instant
    next: NextStep | None = None


@message("claim.filed.v1")
class ClaimFiled(Event):
    """A filing met every intake rule and has a number; its case opens."""

    claim: ClaimId
    cover: CoverId
    incident: IncidentId
    claimant: AccountId
    amount_minor: PositiveAmountMinor
    rulebook: RulebookId
    evidence: tuple[Evidence, ...]
    product: ProductId
    pool: PoolId | None = None
    next: NextStep | None = None


@message("evidence.added.v1")
class EvidenceAdded(Event):
    """Documents were added."""

    claim: ClaimId
    evidence: tuple[Evidence, ...]
    next: NextStep | None = None


@message("claim.reduced.v1")
class ClaimReduced(Event):
    """Less is claimed than before; of what a pool allocated, `held_minor` stays: the same share of less."""

    claim: ClaimId
    amount_minor: PositiveAmountMinor
    incident: IncidentId
    pool: PoolId | None = None
    held_minor: AmountMinor = 0
    next: NextStep | None = None


@message("claim.withdrawn.v1")
class ClaimWithdrawn(Event):
    """The claimant withdrew."""

    claim: ClaimId
    incident: IncidentId
    pool: PoolId | None = None
    next: NextStep | None = None


@message("claim.approved.v1")
class ClaimApproved(Event):
    """The ruling accepted, with the arithmetic of the amount and the pinned payout terms.

    Without a pool `payout` is asked for now; where a pool carries the cover there is none yet: the pool settles the
    incident, and each of its allocations makes a payout (`claim.allocated.v1`).
    """

    claim: ClaimId
    cover: CoverId
    incident: IncidentId
    pool: PoolId | None = None
    payout: PayoutId | None
    recipient: AccountId
    asset: AssetId
    amount_minor: PositiveAmountMinor
    rulebook: RulebookId
    arithmetic: tuple[ArithmeticStep, ...]
    payout_terms: PayoutTerms


@message("claim.denied.v1")
class ClaimDenied(Event):
    """The ruling denied."""

    claim: ClaimId
    case: CaseId
    incident: IncidentId
    pool: PoolId | None = None


@message("claim.drawn.v1")
class ClaimDrawn(Event):
    """The vote had no winner; the claim may be filed again."""

    claim: ClaimId
    case: CaseId
    incident: IncidentId
    pool: PoolId | None = None


@message("claim.share-held.v1")
class ClaimShareHeld(Event):
    """The incident was settled while this claim is undecided: `held_minor` waits for its ruling.

    Also said of an approved claim that an allocation gives nothing: then nothing is held. `line_minor` of
    `line_of_minor` is what the pool had allocated to the claim by then, and of what.
    """

    claim: ClaimId
    allocation: int
    amount_minor: AmountMinor
    held_minor: AmountMinor
    line_minor: AmountMinor = 0
    line_of_minor: AmountMinor = 0
    arithmetic: tuple[ArithmeticStep, ...]


@message("claim.allocated.v1")
class ClaimAllocated(Event):
    """A pool gave an approved claim something: `payout` is asked for, and `deferred_minor` is still owed.

    `allocation` is the pool's; without one, this is what earlier ones held for the claim until it was approved.
    `line_minor` of `line_of_minor` is what the pool had allocated to the claim by then, and of what.
    """

    claim: ClaimId
    cover: CoverId
    incident: IncidentId
    pool: PoolId
    allocation: int | None = None
    payout: PayoutId
    recipient: AccountId
    asset: AssetId
    amount_minor: PositiveAmountMinor
    allocated_minor: AmountMinor
    deferred_minor: AmountMinor
    line_minor: AmountMinor = 0
    line_of_minor: AmountMinor = 0
    arithmetic: tuple[ArithmeticStep, ...]
    payout_terms: PayoutTerms


@message("claim.paid.v1")
class ClaimPaid(Event):
    """A transfer was confirmed; `remaining_minor` is the cover's amount less all that was paid, this included.

    `unpaid_minor` is what of the approved amount was not paid yet: allocated and under way, or deferred.
    """

    claim: ClaimId
    payout: PayoutId
    amount_minor: PositiveAmountMinor
    remaining_minor: AmountMinor
    unpaid_minor: AmountMinor = 0


FILINGS = InputTopic("claim.filings", (FileClaim, AddEvidence, ReduceClaim, WithdrawClaim))
REGISTRATIONS = InputTopic("cover.registrations", (RegisterCover,))
