"""What executors read of a payout: the reference, and of what it is."""

import orjson
import pytest

from schemas.envelope import Record, decode
from schemas.outcomes import PayoutInstruction
from schemas.payouts import PayoutInstructed, PayoutRetried, RequestPayout
from services.kernel.space import Space
from services.relay.publish import publish_instructions
from tests.unit.payouts.examples import ALLOCATED, CAPITAL, REQUEST, STAKE, START, failed, instructed

SPACE = Space("toy", 1)
ALL = pytest.mark.parametrize("request_", [REQUEST, ALLOCATED, CAPITAL, STAKE], ids=lambda request: request.payout)


def recorded(event: PayoutInstructed | PayoutRetried) -> Record:
    headers = (
        ("ce_type", event.wire.encode()),
        ("ce_id", b"e-1"),
        ("ce_time", b"2024-10-04T00:00:00.000Z"),
    )
    return Record("payouts.events", 0, 1, START, f"payout/{event.payout}".encode(), event.to_bytes(), headers)


@ALL
@pytest.mark.parametrize("attempt", [1, 2])
def test_instruction__says_all_of_the_payout_but_its_terms(request_: RequestPayout, attempt: int) -> None:
    specification = instructed(request_)
    if attempt == 2:
        specification.when(failed(payout=request_.payout), at=START).fire()
    (event,) = specification.events
    assert isinstance(event, PayoutInstructed | PayoutRetried)
    (published,) = publish_instructions(SPACE, [recorded(event)])
    assert published.key == f"payout/{request_.payout}".encode()
    instruction = decode(PayoutInstruction.wire, published.value or b"")
    assert isinstance(instruction, PayoutInstruction)
    asked = request_.model_dump(exclude={"payout", "terms"})
    assert instruction.model_dump() == asked | {"reference": request_.payout, "attempt": attempt}


def test_instruction__names_nobody_whom_it_does_not_concern() -> None:
    (event,) = instructed(CAPITAL).events
    assert isinstance(event, PayoutInstructed)
    (published,) = publish_instructions(SPACE, [recorded(event)])
    content = orjson.loads(published.value or b"")
    assert (content["claim"], content["cover"], content["assessor"]) == (None, None, None)
