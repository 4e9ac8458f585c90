import pytest

from schemas.instants import DAY
from schemas.payouts import PayoutConfirmed, PayoutSubmitted, ReceiptConfirmed, ReceiptFlagged
from services.kernel.decider import Deadline
from services.kernel.records import Refused
from tests.unit.payouts.examples import (
    DAI,
    HOLDER,
    HOUR,
    OTHER,
    PAYOUT,
    START,
    USDC,
    asked,
    confirmed,
    failed,
    instructed,
    resume,
    submitted,
)


@pytest.mark.parametrize("receipt", [submitted(), confirmed(), failed(), resume()], ids=lambda receipt: receipt.wire)
def test_receipt__unknown_payout_is_refused(receipt: ReceiptConfirmed) -> None:
    assert asked().when(receipt, at=START).then_refused("receipt.payout-unknown").unknown


def test_submitted__transaction_is_recorded() -> None:
    specification = instructed().when(submitted(), at=START + 1)
    (event,) = specification.events
    assert isinstance(event, PayoutSubmitted)
    assert (event.attempt, event.transaction) == (1, "0x1")
    assert event.next is not None
    assert event.next.due_at == START + DAY
    assert specification.deadlines() == [Deadline("receipt", START + DAY)]


def test_submitted__second_time_is_refused() -> None:
    specification = instructed().when(submitted(), at=START).when(submitted(transaction="0x2"), at=START)
    assert "0x1" in specification.then_refused("receipt.already-submitted").value


def test_submitted__suspended_payout_stays_suspended() -> None:
    specification = instructed().fire().when(submitted(), at=START + 2 * DAY).then_types("payout.submitted.v1")
    assert specification.state.status == "suspended"
    assert specification.deadlines() == []


def test_submitted__failed_attempt_is_refused() -> None:
    instructed().when(failed(), at=START).when(submitted(), at=START).then_refused("receipt.already-failed")


@pytest.mark.parametrize("receipt", [submitted(2), failed(2), confirmed(2)], ids=lambda receipt: receipt.wire)
def test_receipt__attempt_not_instructed_yet_is_refused(receipt: ReceiptConfirmed) -> None:
    refused = instructed().when(receipt, at=START).then_refused("receipt.other-attempt")
    assert refused.value == "attempt 2"
    assert refused.accepted == "attempt 1, the current one"
    assert refused.unknown


@pytest.mark.parametrize("receipt", [submitted(1), failed(1)], ids=lambda receipt: receipt.wire)
def test_receipt__earlier_attempt_is_refused(receipt: ReceiptConfirmed) -> None:
    specification = instructed().when(failed(), at=START).fire()
    refused = specification.when(receipt, at=START + HOUR).then_refused("receipt.other-attempt")
    assert refused.accepted == "attempt 2, the current one"
    assert not refused.unknown


def test_failed__second_time_is_refused() -> None:
    instructed().when(failed(), at=START).when(failed(), at=START).then_refused("receipt.already-failed")


def test_confirmed__matching_transfer_confirms() -> None:
    specification = instructed().when(submitted(), at=START).when(confirmed(transaction="0x2"), at=START + 1)
    (event,) = specification.events
    assert isinstance(event, PayoutConfirmed)
    assert event.model_dump(exclude={"next"}) == {
        "payout": PAYOUT,
        "claim": "C-1/1",
        "cover": "C-1",
        "pool": None,
        "assessor": None,
        "attempt": 1,
        "transaction": "0x2",
        "amount_minor": 1_000,
    }
    assert event.next is not None
    assert specification.deadlines() == []


def test_confirmed__late_confirmation_of_a_failed_attempt_counts() -> None:
    specification = instructed().when(failed(), at=START).when(confirmed(), at=START + 1)
    specification.then_types("payout.confirmed.v1")
    assert specification.deadlines() == []
    specification.when(Deadline("retry", START + HOUR), at=START + HOUR).then_nothing()


def test_confirmed__earlier_attempt_counts_while_a_later_one_is_instructed() -> None:
    specification = instructed().when(failed(), at=START).fire().when(confirmed(1), at=START + 2 * HOUR)
    (event,) = specification.events
    assert isinstance(event, PayoutConfirmed)
    assert event.attempt == 1


def test_confirmed__suspended_payout_still_confirms() -> None:
    specification = instructed().fire().when(confirmed(), at=START + 90 * DAY).then_types("payout.confirmed.v1")
    specification.when(resume(), at=START + 91 * DAY).then_refused("payout.not-suspended")


@pytest.mark.parametrize("receipt", [confirmed(), submitted(), failed()], ids=lambda receipt: receipt.wire)
def test_receipt__confirmed_payout_refuses_all(receipt: ReceiptConfirmed) -> None:
    specification = instructed().when(confirmed(), at=START)
    refused = specification.when(receipt, at=START + 1).then_refused("receipt.already-confirmed")
    assert "0x1" in refused.value
    assert len(specification.events) == 1


def test_mismatch__each_field_is_refused_and_flagged_with_both_values() -> None:
    receipt = confirmed(asset=DAI, recipient=OTHER, amount_minor=999)
    specification = instructed().when(receipt, at=START, id="r-1")
    refused = specification.then_refused("receipt.mismatch")
    assert refused.value == f"asset {DAI}, recipient {OTHER}, amount_minor 999"
    assert refused.accepted == f"asset {USDC}, recipient {HOLDER}, amount_minor 1000"
    assert specification.events[1:] == (
        ReceiptFlagged(
            payout=PAYOUT,
            attempt=1,
            input_id="r-1",
            mismatches={
                "asset": f"{DAI} instead of {USDC}",
                "recipient": f"{OTHER} instead of {HOLDER}",
                "amount_minor": "999 instead of 1000",
            },
        ),
    )


@pytest.mark.parametrize("amount_minor", [999, 1_001])
def test_mismatch__one_unit_off_does_not_confirm(amount_minor: int) -> None:
    specification = instructed().when(confirmed(amount_minor=amount_minor), at=START)
    specification.then_refused("receipt.mismatch")
    assert specification.deadlines() == [Deadline("receipt", START + DAY)]
    specification.when(confirmed(), at=START).then_types("payout.confirmed.v1")


def test_mismatch__redelivered_is_flagged_once() -> None:
    specification = instructed().when(confirmed(amount_minor=1), at=START, id="r-1")
    specification.then_types("refused.v1", "receipt.flagged.v1")
    specification.when(confirmed(amount_minor=1), at=START + 8 * DAY, id="r-1").then_types("refused.v1")
    specification.when(confirmed(amount_minor=1), at=START + 8 * DAY, id="r-2")
    specification.then_types("refused.v1", "receipt.flagged.v1")


def test_mismatch__second_transfer_of_a_confirmed_payout_is_flagged() -> None:
    specification = instructed().when(confirmed(), at=START).when(confirmed(transaction="0x2"), at=START, id="r-2")
    refused, flagged = specification.events
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.value, refused.accepted) == (
        "receipt.mismatch",
        "transaction 0x2",
        "transaction 0x1",
    )
    assert isinstance(flagged, ReceiptFlagged)
    assert flagged.mismatches == {"transaction": "0x2 instead of 0x1"}
