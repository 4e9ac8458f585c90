"""Putting money at stake and asking for it back; what it takes to leave is in `leaving`."""

from schemas.assessors import (
    AddStake,
    RequestStakeWithdrawal,
    StakeAdded,
    StakeWithdrawalAnnounced,
    StakeWithdrawalRequested,
    WithdrawStake,
)
from schemas.envelope import Event
from schemas.governance import StakeTermsSet
from schemas.outcomes import NextStep
from services.assessors import refusals
from services.assessors.assessor import Assessor
from services.kernel.decider import Received, Refused


def add(assessor: Assessor, terms: StakeTermsSet | None, action: AddStake) -> Event:
    """Put money at stake; what weighs in votes afterwards is at least the minimum."""
    if not assessor.registered:
        return refusals.not_registered(action.assessor)
    if terms is None:
        return refusals.terms_unknown()
    if action.transaction in assessor.transactions:
        return Refused(
            rule="stake.transaction-counted",
            value=f"transaction {action.transaction} counted for {action.assessor} before",
            accepted="a transaction that has not counted yet",
        )
    weighing_minor = assessor.weighing_minor + action.amount_minor
    if weighing_minor < terms.stake_min_minor:
        return Refused(
            rule="stake.below-minimum",
            value=f"a stake of {weighing_minor} base units of {terms.asset}, {action.amount_minor} of them new",
            accepted=f"at least {terms.stake_min_minor - assessor.weighing_minor} more, "
            f"which makes {terms.stake_min_minor}",
        )
    return StakeAdded(
        assessor=action.assessor,
        amount_minor=action.amount_minor,
        transaction=action.transaction,
        stake_minor=assessor.stake_minor + action.amount_minor,
        next=NextStep(step=f"votes weigh {weighing_minor} base units in rounds that open from now on"),
    )


def request(
    assessor: Assessor, terms: StakeTermsSet | None, action: RequestStakeWithdrawal, received: Received
) -> Event:
    """Begin the notice; what stays is nothing or at least the minimum."""
    if not assessor.registered:
        return refusals.not_registered(action.assessor)
    if assessor.leaving is not None:
        return refusals.already_leaving(assessor.leaving)
    if action.amount_minor > assessor.stake_minor:
        return Refused(
            rule="stake.not-there",
            value=f"{action.amount_minor} base units of a stake of {assessor.stake_minor}",
            accepted=f"at most {assessor.stake_minor}" if assessor.stake_minor else "nothing: there is no stake",
        )
    if terms is None:
        return refusals.terms_unknown()
    rest_minor = assessor.stake_minor - action.amount_minor
    if 0 < rest_minor < terms.stake_min_minor:
        most = assessor.stake_minor - terms.stake_min_minor
        less = f", or at most {most}" if most > 0 else ""
        return Refused(
            rule="stake.rest-below-minimum",
            value=f"{rest_minor} base units would stay at stake",
            accepted=f"all {assessor.stake_minor}{less}: what stays is nothing or at least {terms.stake_min_minor}",
        )
    available_at = received.since + terms.notice
    return StakeWithdrawalRequested(
        assessor=action.assessor,
        withdrawal=assessor.withdrawals + 1,
        amount_minor=action.amount_minor,
        available_at=available_at,
        next=NextStep(step="stake.withdraw.v1 takes it out; until then it weighs in votes", due_at=available_at),
    )


def withdraw(assessor: Assessor, action: WithdrawStake, received: Received) -> Event:
    """Take out what was asked for, or what cases left of it; it weighs in no vote from here on."""
    if not assessor.registered:
        return refusals.not_registered(action.assessor)
    leaving = assessor.leaving
    if leaving is None:
        return refusals.nothing_leaving(action.assessor)
    if leaving.announced:
        return refusals.already_leaving(leaving)
    if received.at < leaving.available_at:
        return refusals.notice_running(leaving)
    amount_minor = min(leaving.amount_minor, assessor.stake_minor)
    return StakeWithdrawalAnnounced(
        assessor=action.assessor,
        withdrawal=leaving.withdrawal,
        amount_minor=amount_minor,
        stake_minor=assessor.stake_minor - amount_minor,
        next=NextStep(step="it is paid out once no open case that it voted in can take from it"),
    )
