"""The state of an account in its part as an assessor, folded from its events."""

from dataclasses import dataclass, field, replace

from schemas.assessors import (
    AssessorRegistered,
    CapitalNoted,
    HoldingNoted,
    InterestsDeclared,
    StakeAdded,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawalRequested,
    StakeWithdrawn,
)
from schemas.envelope import Event
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Held:
    """The cover of a product that can be claimed on longest, and until when: one is enough to be party to a case."""

    cover: str
    until: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stake that is to leave: `amount_minor` of it, from `available_at` on.

    Once `announced` it weighs in no new vote, and every one of `partitions` (known from the first answer on) says
    which open cases may still take from it; `cases` are those that have not settled yet.
    """

    withdrawal: int
    amount_minor: int
    available_at: int
    announced: bool = False
    partitions: int | None = None
    answered: PersistentMap[int, None] = field(default_factory=PersistentMap)
    cases: PersistentMap[str, None] = field(default_factory=PersistentMap)

    @property
    def is_free(self) -> bool:
        """Tell whether everybody answered and nothing holds it any more."""
        return self.partitions is not None and len(self.answered) >= self.partitions and not self.cases


@dataclass(frozen=True, slots=True)
class Assessor:
    """An account; most only hold cover or capital and are no assessors.

    `stake_minor` (base units) contains what is leaving; `settled` has the last settled round of each case, `unpaid`
    the withdrawals whose transfer is not confirmed, with their amounts. Covers are kept with their ends, `holdings`
    by product, `shares` (basis points) by pool.
    """

    registered: bool = False
    stake_minor: int = 0
    leaving: Leaving | None = None
    withdrawals: int = 0
    linked_accounts: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    covers: PersistentMap[str, int] = field(default_factory=PersistentMap)
    holdings: PersistentMap[str, Held] = field(default_factory=PersistentMap)
    shares: PersistentMap[str, int] = field(default_factory=PersistentMap)
    transactions: PersistentMap[str, None] = field(default_factory=PersistentMap)
    settled: PersistentMap[str, int] = field(default_factory=PersistentMap)
    unpaid: PersistentMap[int, int] = field(default_factory=PersistentMap)

    @property
    def weighing_minor(self) -> int:
        """What weighs in new votes: all but what was announced to leave."""
        if self.leaving is None or not self.leaving.announced:
            return self.stake_minor
        return max(0, self.stake_minor - self.leaving.amount_minor)


def evolve(assessor: Assessor, event: Event) -> Assessor:
    """Fold one event."""
    match event:
        case AssessorRegistered():
            return replace(assessor, registered=True, linked_accounts=event.linked_accounts)
        case InterestsDeclared():
            return replace(assessor, interests=event.products, linked_accounts=event.linked_accounts)
        case HoldingNoted() | CapitalNoted():
            return _with_holding(assessor, event)
        case StakeAdded():
            counted = assessor.transactions.set(event.transaction, None)
            return replace(assessor, stake_minor=event.stake_minor, transactions=counted)
        case StakeSettled():
            return _with_settlement(assessor, event)
        case _:
            return _with_withdrawal(assessor, event)


def _with_withdrawal(assessor: Assessor, event: Event) -> Assessor:
    match event:
        case StakeWithdrawalRequested():
            leaving = Leaving(event.withdrawal, event.amount_minor, event.available_at)
            return replace(assessor, leaving=leaving, withdrawals=event.withdrawal)
        case StakeWithdrawalAnnounced():
            assert assessor.leaving is not None, "nothing was asked for"
            leaving = replace(assessor.leaving, amount_minor=event.amount_minor, announced=True)
            return replace(assessor, leaving=leaving)
        case StakeWithdrawalAnswered():
            assert assessor.leaving is not None, "nothing was announced"
            cases = assessor.leaving.cases
            for case in event.cases:
                cases = cases.set(case, None)
            answered = assessor.leaving.answered.set(event.partition, None)
            leaving = replace(assessor.leaving, partitions=event.partitions, answered=answered, cases=cases)
            return replace(assessor, leaving=leaving)
        case StakeWithdrawn():
            unpaid = assessor.unpaid
            if event.payout is not None:
                unpaid = unpaid.set(event.withdrawal, event.amount_minor)
            return replace(assessor, stake_minor=event.stake_minor, leaving=None, unpaid=unpaid)
        case StakePaidOut():
            return replace(assessor, unpaid=assessor.unpaid.remove(event.withdrawal))
        case _:
            return assessor


def _with_holding(assessor: Assessor, event: HoldingNoted | CapitalNoted) -> Assessor:
    if isinstance(event, CapitalNoted):
        shares = assessor.shares
        changed = shares.set(event.pool, event.share_bps) if event.share_bps else shares.remove(event.pool)
        return replace(assessor, shares=changed)
    held = assessor.holdings.get(event.product)
    holdings = assessor.holdings
    if held is None or held.cover == event.cover or (held.until, held.cover) < (event.until, event.cover):
        holdings = holdings.set(event.product, Held(event.cover, event.until))
    return replace(assessor, covers=assessor.covers.set(event.cover, event.until), holdings=holdings)


def _with_settlement(assessor: Assessor, event: StakeSettled) -> Assessor:
    leaving = assessor.leaving
    if leaving is not None and not event.holds and event.case in leaving.cases:
        leaving = replace(leaving, cases=leaving.cases.remove(event.case))
    settled = assessor.settled.set(event.case, event.round)
    return replace(assessor, stake_minor=event.stake_minor, leaving=leaving, settled=settled)
