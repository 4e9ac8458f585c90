"""Becoming an assessor, and saying to whom and to what one is close."""

from collections.abc import Iterable

from schemas.assessors import AssessorRegistered, DeclareInterests, InterestsDeclared, RegisterAssessor
from schemas.envelope import Event
from schemas.outcomes import NextStep
from services.assessors import refusals
from services.assessors.assessor import Assessor
from services.kernel.decider import Refused


def register(assessor: Assessor, action: RegisterAssessor) -> Event:
    """Register an account, once."""
    if assessor.registered:
        return Refused(
            rule="assessor.already-registered",
            value=f"{action.assessor} is an assessor",
            accepted="assessor.declare.v1, which says anew which accounts are linked to it",
        )
    return AssessorRegistered(
        assessor=action.assessor,
        linked_accounts=_listed(action.linked_accounts, without=action.assessor),
        next=NextStep(step="votes weigh what is put at stake with stake.add.v1, in rounds that open after it"),
    )


def declare(assessor: Assessor, action: DeclareInterests) -> Event:
    """Take both lists as they are from now on; rounds that are open keep those they exclude."""
    if not assessor.registered:
        return refusals.not_registered(action.assessor)
    products = _listed(action.products)
    linked_accounts = _listed(action.linked_accounts, without=action.assessor)
    if (products, linked_accounts) == (assessor.interests, assessor.linked_accounts):
        return Refused(
            rule="assessor.unchanged",
            value=f"{action.assessor} with the interests and linked accounts it has",
            accepted="other products or other linked accounts",
        )
    return InterestsDeclared(
        assessor=action.assessor,
        products=products,
        linked_accounts=linked_accounts,
        next=NextStep(step="rounds that open from now on reckon with this"),
    )


def _listed(items: Iterable[str], *, without: str = "") -> tuple[str, ...]:
    """Spell a set in one way; being linked to oneself says nothing and is left out."""
    return tuple(sorted({item for item in items if item != without}))
