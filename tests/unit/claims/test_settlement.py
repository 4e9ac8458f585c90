from dataclasses import replace

import pytest

from schemas.claims import ClaimApproved, ClaimDenied, ClaimDrawn, ClaimPaid
from schemas.rulebook import Outcome
from services.kernel.specification import Specification
from tests.unit.claims.examples import (
    HOLDER,
    OPEN,
    RULES,
    USDC,
    covered,
    filed,
    filing,
    reducing,
    ruling,
    transferred,
    withdrawing,
)

OUTCOMES = pytest.mark.parametrize("outcome", ["accept", "deny", "draw"])


def approval(specification: Specification) -> ClaimApproved:
    (event,) = specification.events
    assert isinstance(event, ClaimApproved)
    return event


def test_ruling__accept_approves_and_names_the_payout() -> None:
    event = approval(filed().when(ruling(), at=OPEN))
    assert event.model_dump(exclude={"arithmetic", "payout_terms"}) == {
        "claim": "C-1/1",
        "cover": "C-1",
        "incident": "P/1",
        "pool": None,
        "payout": "C-1/1/1",
        "recipient": HOLDER,
        "asset": USDC,
        "amount_minor": 60,
        "rulebook": "house@1",
    }
    assert event.payout_terms == RULES.payout
    (step,) = event.arithmetic
    assert step.inputs == {"ruled_minor": "60", "claimed_minor": "60", "remaining_minor": "100"}
    assert step.result_minor == "60"


def test_ruling__deny_and_draw() -> None:
    filed().when(ruling("deny"), at=OPEN).then(ClaimDenied(claim="C-1/1", case="claim/C-1/1", incident="P/1"))
    filed().when(ruling("draw"), at=OPEN).then(ClaimDrawn(claim="C-1/1", case="claim/C-1/1", incident="P/1"))


def test_ruling__above_the_reduced_amount_approves_the_reduced_amount() -> None:
    event = approval(filed().when(reducing(25), at=OPEN).when(ruling(amount_minor=60), at=OPEN))
    assert event.amount_minor == 25
    assert event.arithmetic[0].inputs["ruled_minor"] == "60"


def test_ruling__below_the_claimed_amount_approves_what_was_ruled() -> None:
    assert approval(filed().when(ruling(amount_minor=59), at=OPEN)).amount_minor == 59


@OUTCOMES
def test_ruling__withdrawn_claim_stays_withdrawn(outcome: Outcome) -> None:
    filed().when(withdrawing(), at=OPEN).when(ruling(outcome), at=OPEN).then_nothing()


@OUTCOMES
def test_ruling__of_a_withdrawn_claim_leaves_the_next_one_alone(outcome: Outcome) -> None:
    specification = filed().when(withdrawing(), at=OPEN).when(filing(), at=OPEN)
    specification.when(ruling(outcome), at=OPEN).then_nothing()
    assert specification.state.open == "C-1/2"


@OUTCOMES
def test_ruling__second_one_has_no_effect(outcome: Outcome) -> None:
    filed().when(ruling("deny"), at=OPEN).when(ruling(outcome), at=OPEN).then_nothing()
    filed().when(ruling("accept"), at=OPEN).when(ruling(outcome), at=OPEN).then_nothing()


def test_ruling__more_than_remains_is_a_bug() -> None:
    specification = filed()
    specification.state = replace(specification.state, owed_minor=41)
    with pytest.raises(AssertionError):
        specification.when(ruling(), at=OPEN)


def test_paid__approved_claim_says_what_remains() -> None:
    specification = filed().when(ruling(), at=OPEN).when(transferred(), at=OPEN)
    specification.then(ClaimPaid(claim="C-1/1", payout="C-1/1/1", amount_minor=60, remaining_minor=40))


def test_paid__second_confirmation_has_no_effect() -> None:
    paid = filed().when(ruling(), at=OPEN).when(transferred(), at=OPEN)
    paid.when(transferred(), at=OPEN).then_nothing()


def test_paid__claim_that_is_not_approved_has_no_effect() -> None:
    covered().when(transferred(), at=OPEN).then_nothing()
    filed().when(transferred(), at=OPEN).then_nothing()


def test_paid__two_claims_exhaust_the_cover() -> None:
    specification = filed().when(ruling(), at=OPEN).when(filing(incident="P/2", amount_minor=40), at=OPEN)
    specification.when(ruling(amount_minor=40, claim="C-1/2"), at=OPEN)
    specification.when(transferred(40, "C-1/2"), at=OPEN)
    specification.then(ClaimPaid(claim="C-1/2", payout="C-1/2/1", amount_minor=40, remaining_minor=60))
    specification.when(transferred(), at=OPEN)
    specification.then(ClaimPaid(claim="C-1/1", payout="C-1/1/1", amount_minor=60, remaining_minor=0))
