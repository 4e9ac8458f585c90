"""What cases do to a stake, and what holds one that leaves.

Every partition that counts votes names the open cases the assessor voted in. The stake stays until each of them has
settled its votes: whoever leaves answers for the votes that were cast with it.
"""

from collections.abc import Sequence

from schemas.assessors import (
    LocksAnswered,
    SettleVote,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnswered,
    StakeWithdrawn,
)
from schemas.envelope import Event
from schemas.outcomes import ArithmeticStep
from schemas.payouts import PayoutConfirmed
from services.assessors.assessor import Assessor, evolve
from services.assessors.facts import Facts


def answer(assessor: Assessor, facts: Facts, answered: LocksAnswered) -> Sequence[Event]:
    """Take one partition's answer, once; the last one may free the stake."""
    leaving = assessor.leaving
    if leaving is None or not leaving.announced or leaving.withdrawal != answered.withdrawal:
        return ()
    if answered.partition in leaving.answered:
        return ()
    event = StakeWithdrawalAnswered(
        assessor=answered.assessor,
        withdrawal=answered.withdrawal,
        partition=answered.partition,
        partitions=answered.partitions,
        cases=tuple(sorted(answered.cases)),
    )
    return (event, *_freed(evolve(assessor, event), facts, answered.assessor))


def settle(assessor: Assessor, facts: Facts, vote: SettleVote) -> Sequence[Event]:
    """Take what a vote lost and add what it won; rounds of a case settle in order, each once.

    What leaves pays as well as what stays: both were at stake. What is not there cannot be taken, and is recorded.
    """
    if vote.round <= assessor.settled.get(vote.case, 0) or not _concerns(assessor, vote):
        return ()
    forfeited_minor = min(vote.forfeit_minor, assessor.stake_minor)
    event = StakeSettled(
        assessor=vote.assessor,
        case=vote.case,
        round=vote.round,
        forfeited_minor=forfeited_minor,
        shortfall_minor=vote.forfeit_minor - forfeited_minor,
        reward_minor=vote.reward_minor,
        stake_minor=assessor.stake_minor - forfeited_minor + vote.reward_minor,
        holds=vote.holds,
    )
    return (event, *_freed(evolve(assessor, event), facts, vote.assessor))


def paid_out(assessor: Assessor, account: str, payout: PayoutConfirmed) -> Sequence[Event]:
    """Note that the transfer of a withdrawal happened, once."""
    withdrawal = int(payout.payout.rpartition("/")[2])
    amount_minor = assessor.unpaid.get(withdrawal)
    if amount_minor is None:
        return ()
    paid = StakePaidOut(assessor=account, withdrawal=withdrawal, payout=payout.payout, amount_minor=amount_minor)
    return (paid,)


def _concerns(assessor: Assessor, vote: SettleVote) -> bool:
    """Tell whether a settlement changes anything: most votes neither lose nor win, and hold nothing that leaves."""
    if vote.forfeit_minor or vote.reward_minor:
        return True
    return assessor.leaving is not None and not vote.holds and vote.case in assessor.leaving.cases


def _freed(assessor: Assessor, facts: Facts, account: str) -> Sequence[Event]:
    """Pay out what leaves once nothing holds it."""
    leaving = assessor.leaving
    if leaving is None or not leaving.is_free:
        return ()
    assert facts.terms is not None, "something is at stake, but nobody set the terms"
    amount_minor = min(leaving.amount_minor, assessor.stake_minor)
    arithmetic = ArithmeticStep(
        rule="what leaves: the smaller of what was announced and what cases left of the stake",
        inputs={"announced_minor": str(leaving.amount_minor), "stake_minor": str(assessor.stake_minor)},
        result_minor=str(amount_minor),
    )
    withdrawn = StakeWithdrawn(
        assessor=account,
        withdrawal=leaving.withdrawal,
        amount_minor=amount_minor,
        payout=f"stake:{account}/{leaving.withdrawal}" if amount_minor else None,
        asset=facts.terms.asset,
        stake_minor=assessor.stake_minor - amount_minor,
        arithmetic=(arithmetic,),
        payout_terms=facts.terms.payout,
    )
    return (withdrawn,)
