"""The treasury of examples/ on what the relay publishes, of every kind: what it answers is what payouts take."""

from importlib import import_module
from pathlib import Path

import orjson
import pytest

from schemas.envelope import decode
from schemas.payouts import PayoutInstructed, RequestPayout
from services.relay.publish import publish_instructions
from tests.unit.payouts.examples import START, instructed
from tests.unit.relay.test_instructions import ALL, SPACE, recorded

EXAMPLES = Path(__file__).parents[3] / "examples"


@ALL
def test_treasury__pays_once_whatever_the_payout_is_of(
    request_: RequestPayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    example = import_module("payout_book")
    specification = instructed(request_)
    (event,) = specification.events
    assert isinstance(event, PayoutInstructed)
    (published,) = publish_instructions(SPACE, [recorded(event)])
    book = example.Book(tmp_path / "book.sqlite", example.Ledger(tmp_path / "ledger.jsonl"))
    answers = book.answer(example.read(published.value))
    assert book.answer(example.read(published.value)) == answers
    for wire, content in answers:
        specification.when(decode(wire, orjson.dumps(content)), at=START)
    specification.then_types("payout.confirmed.v1")
    assert len((tmp_path / "ledger.jsonl").read_bytes().splitlines()) == 1
