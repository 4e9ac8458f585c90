"""One account in its part as an assessor, and what happens to it."""

from typing import Self

from schemas.assessors import (
    AddStake,
    AssessorProfiled,
    DeclareInterests,
    LocksAnswered,
    NoteCapital,
    NoteHolding,
    RegisterAssessor,
    RequestStakeWithdrawal,
    SettleVote,
    WithdrawStake,
)
from schemas.governance import StakeTermsSet
from schemas.instants import DAY, SECOND
from schemas.rulebook import PayoutTerms
from services.assessors.decider import AssessorDecider
from services.assessors.facts import Facts
from services.kernel.specification import Specification

START = 20_000 * DAY
NOTICE = 14 * DAY
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
ASSESSOR = "eip155:1:0x" + "a" * 40
OTHER = "eip155:1:0x" + "b" * 40
CASE = "claim/C-1/1"
PAYOUT = PayoutTerms(first_retry=SECOND, multiplier=2, longest_retry=DAY, attempts_max=3, receipt_within=DAY)
TERMS = StakeTermsSet(asset=ASSET, stake_min_minor=100, notice=NOTICE, payout=PAYOUT)
REGISTRATION = RegisterAssessor(assessor=ASSESSOR)
WITHDRAWAL = WithdrawStake(assessor=ASSESSOR)


class AssessorSpecification(Specification):
    """One account."""

    def add(self, amount_minor: int, transaction: str = "0x1", *, at: int = START) -> Self:
        action = AddStake(assessor=ASSESSOR, amount_minor=amount_minor, transaction=transaction)
        return self.when(action, at=at, sender=ASSESSOR)

    def request(self, amount_minor: int, *, at: int = START) -> Self:
        return self.when(RequestStakeWithdrawal(assessor=ASSESSOR, amount_minor=amount_minor), at=at, sender=ASSESSOR)

    def withdraw(self, *, at: int = START + NOTICE) -> Self:
        return self.when(WITHDRAWAL, at=at, sender=ASSESSOR)

    def declare(self, *products: str, linked: tuple[str, ...] = ()) -> Self:
        action = DeclareInterests(assessor=ASSESSOR, products=products, linked_accounts=linked)
        return self.when(action, at=START, sender=ASSESSOR)

    def hold(self, cover: str, until: int, *, product: str = "lend", at: int = START) -> Self:
        return self.when(NoteHolding(account=ASSESSOR, cover=cover, product=product, until=until), at=at)

    def provide(self, share_bps: int, pool: str = "pool-1") -> Self:
        return self.when(NoteCapital(account=ASSESSOR, pool=pool, share_bps=share_bps), at=START)

    def answered(self, *cases: str, partition: int = 0, partitions: int = 1, withdrawal: int = 1) -> Self:
        answer = LocksAnswered(
            assessor=ASSESSOR,
            withdrawal=withdrawal,
            partition=partition,
            partitions=partitions,
            cases=dict.fromkeys(cases, 1),
        )
        return self.when(answer, at=START + NOTICE)

    def settle(
        self, forfeit_minor: int = 0, reward_minor: int = 0, *, case: str = CASE, number: int = 1, holds: bool = False
    ) -> Self:
        vote = SettleVote(
            case=case,
            round=number,
            assessor=ASSESSOR,
            forfeit_minor=forfeit_minor,
            reward_minor=reward_minor,
            holds=holds,
        )
        return self.when(vote, at=START + NOTICE)


def unknown(terms: StakeTermsSet | None = TERMS) -> AssessorSpecification:
    return AssessorSpecification(AssessorDecider(), facts=Facts(terms), key=f"assessor/{ASSESSOR}")


def registered(terms: StakeTermsSet | None = TERMS) -> AssessorSpecification:
    return unknown(terms).when(REGISTRATION, at=START, sender=ASSESSOR)


def staked(amount_minor: int = 1_000) -> AssessorSpecification:
    return registered().add(amount_minor)


def leaving(amount_minor: int, stake_minor: int = 1_000) -> AssessorSpecification:
    """Announce that some of a stake leaves; nobody answered."""
    return staked(stake_minor).request(amount_minor).withdraw()


def profile(specification: AssessorSpecification) -> AssessorProfiled:
    """Return the profile that the last input led to."""
    event = specification.events[-1]
    assert isinstance(event, AssessorProfiled), specification.events
    return event
