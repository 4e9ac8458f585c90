"""Payouts of claims, of capital and of stake: what they say of themselves, and who hears that they were made."""

import pytest

from schemas.envelope import decode
from schemas.ids import parent
from schemas.payouts import PayoutConfirmed, PayoutInstructed, PayoutRetried, RequestPayout
from services.kernel.decider import Decided
from services.payouts.service import SERVICE
from tests.unit.payouts.examples import (
    ALLOCATED,
    CAPITAL,
    HOLDER,
    HOUR,
    REQUEST,
    STAKE,
    START,
    confirmed,
    failed,
    instructed,
)

ALL = pytest.mark.parametrize("request_", [REQUEST, ALLOCATED, CAPITAL, STAKE], ids=lambda request: request.payout)
CONCERNED = ("claim", "cover", "pool", "assessor")


def concerned(content: RequestPayout | PayoutInstructed | PayoutRetried | PayoutConfirmed) -> list[str | None]:
    return [getattr(content, name) for name in CONCERNED]


@ALL
def test_instruction__says_whom_it_concerns_in_every_attempt(request_: RequestPayout) -> None:
    specification = instructed(request_)
    (first,) = specification.events
    assert isinstance(first, PayoutInstructed)
    (second,) = specification.when(failed(payout=request_.payout), at=START).fire().events
    assert isinstance(second, PayoutRetried)
    (made,) = specification.when(confirmed(2, payout=request_.payout), at=START + HOUR).events
    assert isinstance(made, PayoutConfirmed)
    for event in (first, second, made):
        assert event.payout == request_.payout
        assert concerned(event) == concerned(request_)
        assert decode(event.wire, event.to_bytes()) == event


@pytest.mark.parametrize(
    ("request_", "receivers", "step"),
    [
        (REQUEST, {"claims": "cover/C-1"}, "claim C-1/1 is recorded as paid"),
        (ALLOCATED, {"claims": "cover/main.1", "pools": "pool/main"}, "claim main.1/1 is recorded as paid"),
        (CAPITAL, {"pools": "pool/main"}, "pool main books the transfer"),
        (STAKE, {"assessors": f"assessor/{HOLDER}"}, f"the stake that {HOLDER} took out is recorded as paid"),
    ],
    ids=lambda value: value.payout if isinstance(value, RequestPayout) else "",
)
def test_confirmation__goes_to_whom_it_concerns(request_: RequestPayout, receivers: dict[str, str], step: str) -> None:
    (event,) = instructed(request_).when(confirmed(payout=request_.payout), at=START).events
    assert isinstance(event, PayoutConfirmed)
    sent = SERVICE.route(Decided(f"payout/{request_.payout}", 2, START, event))
    assert {send.receiver: send.key for send in sent} == receivers
    assert {send.content for send in sent} == {event}
    assert event.next is not None
    assert event.next.step == step


def test_ids__of_stake_lead_back_to_the_account() -> None:
    assert parent(STAKE.payout) == f"stake:{HOLDER}"
    assert parent(CAPITAL.payout) == "pool:main"
