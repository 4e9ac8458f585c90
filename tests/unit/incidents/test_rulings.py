"""What a ruling on an incident's case does, and what producers are told to expect."""

import pytest

from schemas.incidents import IncidentDecided
from schemas.outcomes import NextStep
from schemas.payouts import ReceiptFailed
from schemas.rulebook import Outcome
from tests.unit.incidents.examples import BALLOT, HOUR, NOW, ProductSpecification, rulebook, ruled


def opened() -> ProductSpecification:
    return ProductSpecification().report(NOW - HOUR, "r1")


def decided(status: str, number: int = 1, occurred_at: int = NOW - HOUR) -> IncidentDecided:
    return IncidentDecided.model_validate(
        {
            "incident": f"lend/{number}",
            "product": "lend",
            "occurred_at": occurred_at,
            "status": status,
            "decided_at": NOW,
        }
    )


@pytest.mark.parametrize(("outcome", "status"), [("accept", "confirmed"), ("deny", "rejected"), ("draw", "drawn")])
def test_ruling_decides_an_open_incident(outcome: Outcome, status: str) -> None:
    opened().rule(outcome).then(decided(status))


def test_ruling_decides_only_its_incident() -> None:
    two = opened().report(NOW - 5 * HOUR, "r2").then_opened(2)
    two.rule("deny", 2).then(decided("rejected", 2, NOW - 5 * HOUR)).rule("accept", 1).then(decided("confirmed"))


@pytest.mark.parametrize("first", ["accept", "deny", "draw"])
@pytest.mark.parametrize("second", ["accept", "deny", "draw"])
def test_only_the_first_ruling_counts(first: Outcome, second: Outcome) -> None:
    opened().rule(first).rule(second).then_nothing()


def test_ruling_on_an_incident_that_does_not_exist_says_nothing() -> None:
    opened().rule("accept", 2).then_nothing()
    ProductSpecification().rule("accept", 1).then_nothing()


@pytest.mark.parametrize("case", ["incident/swap/1", "claim/lend/1"])
def test_ruling_on_something_else_says_nothing(case: str) -> None:
    opened().when(ruled("accept", case=case), at=NOW, sender="adjudication").then_nothing()


def test_late_ruling_on_a_rejected_incident_leaves_its_successor_alone() -> None:
    again = opened().rule("deny").report(NOW - HOUR, "r2").then_opened(2)
    again.rule("accept", 1).then_nothing()
    again.report(NOW - HOUR, "r3").then_joined(2)


def test_other_messages_cause_nothing() -> None:
    message = ReceiptFailed(payout="C/1/1", attempt=1, reason="no gas")
    opened().when(message, at=NOW, sender="watch").then_nothing()


def test_nothing_falls_due() -> None:
    assert opened().deadlines() == []


def next_step(product: ProductSpecification) -> NextStep:
    (event,) = product.events
    return NextStep.model_validate(event.model_dump()["next"])


def test_next_is_the_end_of_the_first_stage__ballot() -> None:
    product = ProductSpecification(rulebook(first=BALLOT)).report(NOW, "r1")
    expected = NextStep(step="ballot for incident lend/1 closes", due_at=NOW + 3 * HOUR)
    assert next_step(product) == expected


def test_next_is_the_end_of_the_first_stage__a_millisecond_before_it() -> None:
    joined = opened().report(NOW - HOUR, "r2", at=NOW + 2 * HOUR - 1)
    expected = NextStep(step="corroboration for incident lend/1 closes", due_at=NOW + 2 * HOUR)
    assert next_step(joined) == expected


def test_next_is_a_ruling__at_the_end_of_the_first_stage() -> None:
    joined = opened().report(NOW - HOUR, "r2", at=NOW + 2 * HOUR)
    assert next_step(joined) == NextStep(step="ruling on incident lend/1")


def test_next_is_claiming__confirmed() -> None:
    joined = opened().rule("accept").report(NOW - HOUR, "r2")
    assert next_step(joined).step == "incident lend/1 is confirmed; covers' rulebooks say when to claim for it"
