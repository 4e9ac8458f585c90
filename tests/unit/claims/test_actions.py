import pytest

from schemas.claims import ClaimReduced, ClaimWithdrawn, EvidenceAdded
from schemas.instants import DAY
from schemas.rulebook import Outcome
from services.claims.actions import Action
from tests.unit.claims.examples import (
    GRACE_END,
    OPEN,
    OTHER,
    adding,
    covered,
    documents,
    filed,
    reducing,
    ruling,
    transferred,
    unregistered,
    withdrawing,
)

RULED_BY = OPEN + 4 * DAY


def test_evidence__open_claim_takes_documents() -> None:
    (event,) = filed().when(adding(2, 3), at=OPEN).events
    assert isinstance(event, EvidenceAdded)
    assert (event.claim, event.evidence) == ("C-1/1", documents(2, 3))
    assert event.next is not None
    assert event.next.due_at == RULED_BY


def test_evidence__too_many_in_all_is_refused() -> None:
    specification = filed().when(adding(2, 3, 4), at=OPEN)
    assert specification.then_refused("claim.too-much-evidence").accepted == "at most 2, 3 in all"
    specification.when(adding(2), at=OPEN).when(adding(3, 4), at=OPEN).then_refused("claim.too-much-evidence")


@pytest.mark.parametrize("numbers", [(1,), (2, 2), (2, 1)])
def test_evidence__document_already_there_is_refused(numbers: tuple[int, ...]) -> None:
    filed().when(adding(*numbers), at=OPEN).then_refused("claim.evidence-repeated")


def test_reduce__open_claim_asks_for_less() -> None:
    (event,) = filed().when(reducing(59), at=OPEN).events
    assert isinstance(event, ClaimReduced)
    assert (event.claim, event.amount_minor) == ("C-1/1", 59)
    assert event.next is not None
    assert event.next.due_at == RULED_BY


@pytest.mark.parametrize("amount_minor", [60, 61])
def test_reduce__as_much_or_more_is_refused(amount_minor: int) -> None:
    specification = filed().when(reducing(amount_minor), at=OPEN)
    assert specification.then_refused("claim.not-less").accepted == "less than 60"


def test_reduce__second_time_counts_from_the_present_amount() -> None:
    filed().when(reducing(30), at=OPEN).when(reducing(30), at=OPEN).then_refused("claim.not-less")


def test_withdraw__open_claim_is_closed() -> None:
    (event,) = filed().when(withdrawing(), at=OPEN).events
    assert isinstance(event, ClaimWithdrawn)
    assert event.next is not None
    assert event.next.due_at == GRACE_END


EVERY = pytest.mark.parametrize("action", [adding(2), reducing(1), withdrawing()], ids=lambda action: action.wire)


@EVERY
def test_action__unknown_claim_is_refused(action: Action) -> None:
    assert unregistered().when(action, at=OPEN).then_refused("claim.unknown").unknown
    assert covered().when(action, at=OPEN).then_refused("claim.unknown").unknown
    second = action.model_copy(update={"claim": "C-1/2"})
    assert filed().when(second, at=OPEN).then_refused("claim.unknown").unknown


@EVERY
def test_action__claim_of_another_cover_is_refused(action: Action) -> None:
    foreign = action.model_copy(update={"claim": "C-2/1"})
    refused = filed().when(foreign, at=OPEN).then_refused("claim.other-cover")
    assert refused.accepted == "claim C-2/1 with cover C-2"
    assert not refused.unknown


@EVERY
def test_action__other_claimant_is_refused(action: Action) -> None:
    foreign = action.model_copy(update={"claimant": OTHER})
    filed().when(foreign, at=OPEN).then_refused("claim.not-claimant")


@EVERY
@pytest.mark.parametrize(("outcome", "status"), [("accept", "approved"), ("deny", "denied"), ("draw", "drawn")])
def test_action__ruled_claim_is_refused(action: Action, outcome: Outcome, status: str) -> None:
    specification = filed().when(ruling(outcome), at=OPEN).when(action, at=OPEN)
    assert status in specification.then_refused("claim.not-open").value


@EVERY
def test_action__paid_claim_is_refused(action: Action) -> None:
    specification = filed().when(ruling(), at=OPEN).when(transferred(), at=OPEN).when(action, at=OPEN)
    assert "paid" in specification.then_refused("claim.not-open").value


@EVERY
def test_action__withdrawn_claim_is_refused(action: Action) -> None:
    specification = filed().when(withdrawing(), at=OPEN).when(action, at=OPEN)
    assert "withdrawn" in specification.then_refused("claim.not-open").value
