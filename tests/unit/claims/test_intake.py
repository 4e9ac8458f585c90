import pytest

from schemas.claims import ClaimFiled
from schemas.instants import DAY, LAST, format_instant
from schemas.rulebook import ClaimRules
from services.claims.facts import Facts
from tests.unit.claims.examples import (
    COVERED_FROM,
    EVENT,
    EXPIRY,
    FACTS,
    GRACE_END,
    HOLDER,
    INCLUSIVE,
    LISTED,
    OPEN,
    OTHER,
    RULES,
    covered,
    decided,
    documents,
    filed,
    filing,
    knowing,
    published,
    registration,
    ruling,
    transferred,
    unregistered,
    withdrawing,
)


def happened(occurred_at: int, rules: ClaimRules = RULES) -> Facts:
    return knowing(published(rules), LISTED, decided(occurred_at=occurred_at))


def test_filing__meets_every_rule() -> None:
    (event,) = covered().when(filing(evidence=documents(1, 2)), at=OPEN + 9, since=OPEN).events
    assert isinstance(event, ClaimFiled)
    assert event.model_dump(exclude={"next", "evidence"}) == {
        "claim": "C-1/1",
        "cover": "C-1",
        "incident": "P/1",
        "claimant": HOLDER,
        "amount_minor": 60,
        "rulebook": "house@1",
        "product": "P",
        "pool": None,
    }
    assert event.evidence == documents(1, 2)
    assert event.next is not None
    assert "case claim/C-1/1" in event.next.step
    assert event.next.due_at == OPEN + 3 * DAY + DAY


def test_filing__unknown_cover_is_refused() -> None:
    assert unregistered().when(filing(), at=OPEN).then_refused("claim.cover-unknown").unknown


def test_filing__other_account_is_refused() -> None:
    refused = covered().when(filing(claimant=OTHER), at=OPEN).then_refused("claim.not-holder")
    assert OTHER in refused.value
    assert HOLDER in refused.accepted


def test_filing__unknown_incident_is_refused() -> None:
    assert covered().when(filing(incident="P/9"), at=OPEN).then_refused("claim.incident-unknown").unknown


@pytest.mark.parametrize("status", ["rejected", "drawn"])
def test_filing__incident_that_is_not_confirmed_is_refused(status: str) -> None:
    facts = knowing(published(), LISTED, decided(status=status))
    refused = covered(facts).when(filing(), at=OPEN).then_refused("claim.incident-not-confirmed")
    assert status in refused.value
    assert not refused.unknown


def test_filing__incident_of_another_product_is_refused() -> None:
    facts = knowing(published(), LISTED, decided("Q/1", product="Q"))
    covered(facts).when(filing(incident="Q/1"), at=OPEN).then_refused("claim.other-product")


def test_filing__incident_in_the_waiting_period_is_refused() -> None:
    specification = covered(happened(COVERED_FROM - 1)).when(filing(), at=OPEN)
    refused = specification.then_refused("claim.before-waiting-period")
    assert format_instant(COVERED_FROM - 1) in refused.value
    assert format_instant(COVERED_FROM) in refused.accepted
    covered(happened(COVERED_FROM)).when(filing(), at=OPEN).then_types("claim.filed.v1")


def test_filing__incident_at_an_exclusive_expiry_is_refused() -> None:
    specification = covered(happened(EXPIRY)).when(filing(), at=EXPIRY + 2 * DAY)
    refused = specification.then_refused("claim.after-expiry")
    assert f"before {format_instant(EXPIRY)}" in refused.accepted
    covered(happened(EXPIRY - 1)).when(filing(), at=EXPIRY + 2 * DAY).then_types("claim.filed.v1")


def test_filing__incident_after_an_inclusive_expiry_is_refused() -> None:
    specification = covered(happened(EXPIRY + 1, INCLUSIVE)).when(filing(), at=EXPIRY + 3 * DAY)
    refused = specification.then_refused("claim.after-expiry")
    assert f"until {format_instant(EXPIRY)}" in refused.accepted
    covered(happened(EXPIRY, INCLUSIVE)).when(filing(), at=EXPIRY + 2 * DAY).then_types("claim.filed.v1")


def test_filing__too_early_says_from_when() -> None:
    refused = covered().when(filing(), at=OPEN - 1).then_refused("claim.too-early")
    assert refused.not_before == OPEN
    covered().when(filing(), at=OPEN).then_types("claim.filed.v1")


def test_filing__incident_at_the_end_of_time_is_refused() -> None:
    facts = happened(LAST - 1)
    specification = unregistered(facts).when(registration(expires_at=LAST), at=EVENT).when(filing(), at=OPEN)
    assert specification.then_refused("claim.too-early").not_before == LAST
    assert specification.events[0].to_bytes()


def test_filing__exclusive_end_of_the_grace_is_refused() -> None:
    refused = covered().when(filing(), at=GRACE_END).then_refused("claim.grace-ended")
    assert f"before {format_instant(GRACE_END)}" in refused.accepted
    covered().when(filing(), at=GRACE_END - 1).then_types("claim.filed.v1")


def test_filing__after_an_inclusive_end_of_the_grace_is_refused() -> None:
    facts = happened(EVENT, INCLUSIVE)
    refused = covered(facts).when(filing(), at=GRACE_END + 1).then_refused("claim.grace-ended")
    assert f"until {format_instant(GRACE_END)}" in refused.accepted
    covered(facts).when(filing(), at=GRACE_END).then_types("claim.filed.v1")


def test_filing__lateness_is_judged_by_at() -> None:
    covered().when(filing(), at=GRACE_END, since=GRACE_END - 1).then_refused("claim.grace-ended")


def test_filing__second_open_claim_is_refused() -> None:
    refused = filed().when(filing(incident="P/2", amount_minor=1), at=OPEN).then_refused("claim.already-open")
    assert "C-1/1" in refused.value


@pytest.mark.parametrize("paid", [False, True])
def test_filing__incident_that_was_approved_or_paid_is_refused(paid: bool) -> None:
    specification = filed().when(ruling(), at=OPEN)
    if paid:
        specification.when(transferred(), at=OPEN)
    refused = specification.when(filing(amount_minor=1), at=OPEN).then_refused("claim.incident-already-paid")
    assert ("paid" if paid else "approved") in refused.value


@pytest.mark.parametrize("paid", [False, True])
def test_filing__other_incident_gets_what_remains(paid: bool) -> None:
    specification = filed().when(ruling(), at=OPEN)
    if paid:
        specification.when(transferred(), at=OPEN)
    refused = specification.when(filing(incident="P/2", amount_minor=41), at=OPEN)
    assert "at most 40" in refused.then_refused("claim.amount-above-remaining").accepted
    (event,) = specification.when(filing(incident="P/2", amount_minor=40), at=OPEN).events
    assert isinstance(event, ClaimFiled)
    assert event.claim == "C-1/2"


def test_filing__amount_above_the_cover_is_refused() -> None:
    specification = covered().when(filing(amount_minor=101), at=OPEN)
    assert "101" in specification.then_refused("claim.amount-above-remaining").value
    covered().when(filing(amount_minor=100), at=OPEN).then_types("claim.filed.v1")


@pytest.mark.parametrize("outcome", ["deny", "draw"])
def test_filing__same_incident_again_after_no_payment(outcome: str) -> None:
    again = filed().when(ruling(outcome), at=OPEN).when(filing(), at=OPEN + 1)  # type: ignore[arg-type]
    (event,) = again.events
    assert isinstance(event, ClaimFiled)
    assert event.claim == "C-1/2"


def test_filing__same_incident_again_after_withdrawal() -> None:
    filed().when(withdrawing(), at=OPEN).when(filing(), at=OPEN + 1).then_types("claim.filed.v1")


def test_filing__one_document_too_many_is_refused() -> None:
    specification = covered().when(filing(evidence=documents(1, 2, 3, 4)), at=OPEN)
    assert "at most 3" in specification.then_refused("claim.too-much-evidence").accepted
    covered().when(filing(evidence=documents(1, 2, 3)), at=OPEN).then_types("claim.filed.v1")


def test_filing__same_document_twice_is_refused() -> None:
    covered().when(filing(evidence=documents(1, 2, 1)), at=OPEN).then_refused("claim.evidence-repeated")


def test_filing__first_broken_rule_is_the_refusal() -> None:
    wrong = filing(claimant=OTHER, incident="P/9", amount_minor=1_000, evidence=documents(1, 1))
    unregistered().when(wrong, at=0).then_refused("claim.cover-unknown")
    covered().when(wrong, at=0).then_refused("claim.not-holder")
    wrong = wrong.model_copy(update={"claimant": HOLDER})
    covered().when(wrong, at=0).then_refused("claim.incident-unknown")
    wrong = wrong.model_copy(update={"incident": "P/1"})
    covered().when(wrong, at=0).then_refused("claim.too-early")
    filed().when(wrong, at=OPEN).then_refused("claim.already-open")
    covered().when(wrong, at=OPEN).then_refused("claim.amount-above-remaining")


def test_filing__rulebook_published_later_changes_nothing() -> None:
    strict = RULES.model_copy(update={"intake": RULES.intake.model_copy(update={"evidence_max": 0})})
    later = knowing(published(), LISTED, decided(), published(strict, version=2))
    specification = covered(FACTS).with_facts(later)
    specification.when(filing(evidence=documents(1)), at=OPEN).then_types("claim.filed.v1")
