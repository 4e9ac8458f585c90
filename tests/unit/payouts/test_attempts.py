from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY, SECOND
from schemas.payouts import PayoutFailed, PayoutInstructed, PayoutResumed, PayoutRetried, PayoutSuspended
from schemas.rulebook import PayoutTerms
from services.kernel.decider import Deadline
from services.payouts.attempts import back_off
from tests.unit.payouts.examples import (
    DAI,
    HOLDER,
    HOUR,
    PAYOUT,
    REQUEST,
    START,
    TERMS,
    USDC,
    asked,
    confirmed,
    failed,
    instructed,
    resume,
    submitted,
)


def test_request__new_payout_is_instructed() -> None:
    asked().when(REQUEST, at=START + 5, since=START).then(
        PayoutInstructed(
            payout=PAYOUT,
            claim="C-1/1",
            cover="C-1",
            attempt=1,
            asset=USDC,
            recipient=HOLDER,
            amount_minor=1_000,
            arithmetic=(),
            terms=TERMS,
            receipt_due_at=START + DAY,
        )
    )


def test_request__repeated_has_no_effect() -> None:
    instructed().when(REQUEST.model_copy(update={"asset": DAI}), at=START + 1).then_nothing()


def test_failed__next_attempt_after_the_first_wait() -> None:
    specification = instructed().when(failed(), at=START + 7, sender="treasury")
    (event,) = specification.events
    assert isinstance(event, PayoutFailed)
    assert (event.attempt, event.reason, event.retry_at) == (1, "out of gas", START + 7 + HOUR)
    assert event.next is not None
    assert event.next.due_at == START + 7 + HOUR
    assert specification.deadlines() == [Deadline("retry", START + 7 + HOUR)]


def test_retry__due_spells_the_whole_instruction() -> None:
    specification = instructed().when(submitted(), at=START).when(failed(), at=START).fire()
    due_at = START + HOUR + DAY
    (event,) = specification.events
    assert isinstance(event, PayoutRetried)
    assert event.model_dump(exclude={"next"}) == {
        **REQUEST.model_dump(exclude={"terms"}),
        "attempt": 2,
        "receipt_due_at": due_at,
    }
    assert event.next is not None
    assert event.next.due_at == due_at
    assert specification.deadlines() == [Deadline("receipt", due_at)]
    assert specification.state.submitted is None


def test_retry__fired_late_counts_from_the_firing() -> None:
    specification = instructed().when(failed(), at=START).fire(late=HOUR)
    assert specification.deadlines() == [Deadline("receipt", START + 2 * HOUR + DAY)]


def test_back_off__grows_to_the_longest_then_suspends() -> None:
    specification = instructed()
    waits = []
    for attempt in range(1, TERMS.attempts_max):
        at = START + attempt * DAY
        specification.when(failed(attempt), at=at)
        waits.append(specification.deadlines()[0].due - at)
        specification.fire()
    assert waits == [HOUR, 2 * HOUR, 3 * HOUR]
    last, suspended = specification.when(failed(TERMS.attempts_max), at=START + 9 * DAY).events
    assert isinstance(last, PayoutFailed)
    assert last.retry_at is None
    assert isinstance(suspended, PayoutSuspended)
    assert suspended.attempt == TERMS.attempts_max
    assert specification.deadlines() == []


@given(st.integers(0, 10**9), st.integers(1, 10), st.integers(0, 10**9), st.integers(1, 99))
def test_back_off__never_above_the_longest_and_never_falling(
    first_s: int, multiplier: int, longest_s: int, attempt: int
) -> None:
    terms = PayoutTerms(
        first_retry=first_s * SECOND,
        multiplier=multiplier,
        longest_retry=longest_s * SECOND,
        attempts_max=100,
        receipt_within=DAY,
    )
    wait = back_off(terms, attempt)
    assert wait == min(first_s * SECOND * multiplier ** (attempt - 1), longest_s * SECOND)
    assert wait <= back_off(terms, attempt + 1) <= longest_s * SECOND


def test_failed__longest_reason_still_fits_when_suspended() -> None:
    once = REQUEST.model_copy(update={"terms": TERMS.model_copy(update={"attempts_max": 1})})
    specification = asked().when(once, at=START).when(failed(reason="x" * 4_000), at=START)
    specification.then_types("payout.failed.v1", "payout.suspended.v1")


def test_receipt_due__unanswered_attempt_is_suspended() -> None:
    specification = instructed()
    assert specification.deadlines() == [Deadline("receipt", START + DAY)]
    specification.fire().then_types("payout.suspended.v1")
    assert "may still succeed" in specification.events[0].model_dump()["reason"]
    assert specification.deadlines() == []


def test_receipt_due__submitted_is_not_decided() -> None:
    specification = instructed().when(submitted(), at=START + DAY - 1)
    specification.fire().then_types("payout.suspended.v1")


def test_receipt_due__confirmed_one_millisecond_before() -> None:
    specification = instructed().when(confirmed(), at=START + DAY - 1)
    specification.then_types("payout.confirmed.v1")
    assert specification.deadlines() == []
    specification.when(Deadline("receipt", START + DAY), at=START + DAY).then_nothing()


def test_receipt_due__failed_one_millisecond_before() -> None:
    specification = instructed().when(failed(), at=START + DAY - 1)
    assert specification.deadlines() == [Deadline("retry", START + DAY - 1 + HOUR)]
    specification.when(Deadline("receipt", START + DAY), at=START + DAY).then_nothing()


def test_late_failure__suspended_payout_stays_suspended() -> None:
    specification = instructed().fire().when(failed(), at=START + 2 * DAY)
    (event,) = specification.events
    assert isinstance(event, PayoutFailed)
    assert event.retry_at is None
    assert specification.deadlines() == []
    specification.when(resume(), at=START + 3 * DAY).then_types("payout.resumed.v1", "payout.retried.v1")


def test_resume__suspended_payout_gets_the_next_attempt() -> None:
    specification = instructed().fire().when(resume(), at=START + 2 * DAY, sender="treasury")
    resumed, retried = specification.events
    assert isinstance(resumed, PayoutResumed)
    assert isinstance(retried, PayoutRetried)
    assert (resumed.attempt, resumed.by, resumed.next) == (1, "treasury", retried.next)
    assert (retried.attempt, retried.receipt_due_at) == (2, START + 3 * DAY)
    assert specification.deadlines() == [Deadline("receipt", START + 3 * DAY)]


def test_resume__after_the_last_attempt_each_failure_suspends_again() -> None:
    once = REQUEST.model_copy(update={"terms": TERMS.model_copy(update={"attempts_max": 1})})
    specification = asked().when(once, at=START).when(failed(1), at=START).when(resume(1), at=START)
    specification.when(failed(2), at=START).then_types("payout.failed.v1", "payout.suspended.v1")


def test_resume__instructed_or_waiting_payout_is_refused() -> None:
    instructed().when(resume(), at=START).then_refused("payout.not-suspended")
    instructed().when(failed(), at=START).when(resume(), at=START).then_refused("payout.not-suspended")


def test_resume__other_attempt_is_refused() -> None:
    specification = instructed().when(failed(), at=START).fire().fire()
    refused = specification.when(resume(1), at=START + 9 * DAY).then_refused("receipt.other-attempt")
    assert refused.accepted.startswith("attempt 2")
    specification.when(resume(3), at=START + 9 * DAY).then_refused("receipt.other-attempt")


def test_resume__confirmed_payout_is_refused() -> None:
    instructed().when(confirmed(), at=START).when(resume(), at=START).then_refused("payout.not-suspended")
