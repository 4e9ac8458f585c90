"""Assessors: who may vote, with what at stake, and what happened to that stake. Also what siblings tell an assessor.

An account is an assessor from its registration on. What it puts in is bound by an asset and terms that governance
sets; what it takes out is a payout like any other. Every event that changes what others reckon with is followed by
`assessor.profiled.v1`, which is broadcast.
"""

from typing import Annotated

from pydantic import Field

from .envelope import Event, Input, InputTopic, Message, message
from .ids import AccountId, AssetId, CaseId, CoverId, PayoutId, PoolId, ProductId, TransactionId, assessor_key
from .instants import Instant
from .money import AmountMinor, BasisPoints, PositiveBoundedAmountMinor
from .outcomes import ArithmeticStep, NextStep
from .rulebook import PayoutTerms

_Linked = Annotated[tuple[AccountId, ...], Field(max_length=64)]
_Products = Annotated[tuple[ProductId, ...], Field(max_length=256)]


class AssessorInput(Input):
    """An input in the name of an assessor."""

    assessor: AccountId

    def key(self) -> str:
        """Return the assessor's aggregate."""
        return assessor_key(self.assessor)

    def account(self) -> str:
        """Return the assessor."""
        return self.assessor


@message("assessor.register.v1")
class RegisterAssessor(AssessorInput):
    """Become an assessor, with the accounts linked to it; those of an assessor are declared again by `declare`."""

    linked_accounts: _Linked = ()


@message("stake.add.v1")
class AddStake(AssessorInput):
    """Put money at stake; each transaction counts once."""

    amount_minor: PositiveBoundedAmountMinor
    transaction: TransactionId


@message("stake.request-withdrawal.v1")
class RequestStakeWithdrawal(AssessorInput):
    """Ask to take stake out, after the notice; one request at a time."""

    amount_minor: PositiveBoundedAmountMinor


@message("stake.withdraw.v1")
class WithdrawStake(AssessorInput):
    """Take out what was asked for, once the notice is over: from here on it weighs in no vote."""


@message("assessor.declare.v1")
class DeclareInterests(AssessorInput):
    """Say in which products the assessor has an interest and which accounts are linked to it: both lists whole."""

    products: _Products = ()
    linked_accounts: _Linked = ()


@message("holding.note.v1")
class NoteHolding(Message):
    """Claims tells an account, assessor or not, that it holds a cover; what of it can be claimed ends at `until`."""

    account: AccountId
    cover: CoverId
    product: ProductId
    until: Instant


@message("capital.note.v1")
class NoteCapital(Message):
    """Pools tells an account, assessor or not, which share of a pool's capital it holds now."""

    account: AccountId
    pool: PoolId
    share_bps: BasisPoints


@message("vote.settle.v1")
class SettleVote(Message):
    """A case settled a vote after its last ruling: what the stake loses, what it wins; both 0 where neither.

    `holds` says that a vote in a later round of the case is not settled yet, and holds the stake until it is.
    """

    case: CaseId
    round: int
    assessor: AccountId
    forfeit_minor: AmountMinor
    reward_minor: AmountMinor
    holds: bool = False


@message("locks.answered.v1")
class LocksAnswered(Event):
    """One partition that counts votes answered a withdrawal: the open cases that may still take from the stake.

    `cases` maps each of them to the stake its vote was cast with. Stands in adjudication's log, on `locks/<partition>`.
    """

    assessor: AccountId
    withdrawal: int
    partition: int
    partitions: int
    cases: dict[CaseId, AmountMinor]


class Share(Message):
    """A share of a pool's capital."""

    pool: PoolId
    share_bps: BasisPoints


class Holding(Message):
    """A cover that is held, and until when it can be claimed on."""

    cover: CoverId
    product: ProductId
    until: Instant


@message("assessor.profiled.v1")
class AssessorProfiled(Event):
    """An assessor as others reckon with it from now on. Broadcast to adjudication."""

    assessor: AccountId
    stake_minor: AmountMinor
    linked_accounts: tuple[AccountId, ...]
    interests: tuple[ProductId, ...] = ()
    holdings: tuple[Holding, ...] = ()
    shares: tuple[Share, ...] = ()
    next: NextStep | None = None


@message("assessor.registered.v1")
class AssessorRegistered(Event):
    """An account is an assessor."""

    assessor: AccountId
    linked_accounts: tuple[AccountId, ...]
    next: NextStep | None = None


@message("stake.added.v1")
class StakeAdded(Event):
    """Money was put at stake; `stake_minor` is what is at stake with it."""

    assessor: AccountId
    amount_minor: AmountMinor
    transaction: TransactionId
    stake_minor: AmountMinor
    next: NextStep | None = None


@message("stake.withdrawal-requested.v1")
class StakeWithdrawalRequested(Event):
    """Stake is to leave; it can be taken out from `available_at` on, and weighs in votes until it is."""

    assessor: AccountId
    withdrawal: int
    amount_minor: AmountMinor
    available_at: Instant
    next: NextStep | None = None


@message("stake.withdrawal-announced.v1")
class StakeWithdrawalAnnounced(Event):
    """Stake leaves: new votes weigh `stake_minor`. Broadcast; every partition that counts votes answers."""

    assessor: AccountId
    withdrawal: int
    amount_minor: AmountMinor
    stake_minor: AmountMinor
    next: NextStep | None = None


@message("stake.withdrawal-answered.v1")
class StakeWithdrawalAnswered(Event):
    """A partition answered: these open cases hold the stake until they have settled its votes."""

    assessor: AccountId
    withdrawal: int
    partition: int
    partitions: int
    cases: tuple[CaseId, ...]


@message("stake.settled.v1")
class StakeSettled(Event):
    """A case settled a vote: `forfeited_minor` was taken, `shortfall_minor` was not there to be taken.

    `stake_minor` is what is at stake afterwards, what waits to leave included. `holds`: a later round is still to come.
    """

    assessor: AccountId
    case: CaseId
    round: int
    forfeited_minor: AmountMinor
    shortfall_minor: AmountMinor
    reward_minor: AmountMinor
    stake_minor: AmountMinor
    holds: bool = False


@message("stake.withdrawn.v1")
class StakeWithdrawn(Event):
    """Nothing holds the stake any more: it is paid out. Less than was asked for where a case took from it."""

    assessor: AccountId
    withdrawal: int
    amount_minor: AmountMinor
    payout: PayoutId | None
    asset: AssetId
    stake_minor: AmountMinor
    arithmetic: tuple[ArithmeticStep, ...]
    payout_terms: PayoutTerms


@message("stake.paid-out.v1")
class StakePaidOut(Event):
    """The transfer of withdrawn stake was confirmed."""

    assessor: AccountId
    withdrawal: int
    payout: PayoutId
    amount_minor: AmountMinor


@message("interests.declared.v1")
class InterestsDeclared(Event):
    """The products an assessor has an interest in, and the accounts linked to it, from now on."""

    assessor: AccountId
    products: tuple[ProductId, ...]
    linked_accounts: tuple[AccountId, ...]
    next: NextStep | None = None


@message("holding.noted.v1")
class HoldingNoted(Event):
    """The account holds a cover."""

    account: AccountId
    cover: CoverId
    product: ProductId
    until: Instant


@message("capital.noted.v1")
class CapitalNoted(Event):
    """The account holds this share of a pool's capital."""

    account: AccountId
    pool: PoolId
    share_bps: BasisPoints


ACTIONS = InputTopic(
    "assessor.actions", (RegisterAssessor, AddStake, RequestStakeWithdrawal, WithdrawStake, DeclareInterests)
)
