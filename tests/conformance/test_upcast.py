"""What past releases stored is read by today's: upcast step by step, its bytes left as they are."""

import pytest

from schemas.envelope import Headers, Outgoing
from services.kernel.records import Refused, SetAside
from services.kernel.space import Space
from services.kernel.wire import genesis, record_digest
from tests.support.golden import load, outgoing, restore
from tests.support.harness import Harness, NewHarness
from tests.support.stamped import STAMP, CoinStamped, StampCoin

GOLDEN = load("stamped.jsonl")
PLACE = ("stamp", 0)


@pytest.fixture
def mint(new_harness: NewHarness) -> Harness:
    """A space whose log two past releases wrote."""
    harness = new_harness(services=(STAMP,), space=Space("toy", 1, owned={"stamps": "mint"}))
    restore(harness, GOLDEN)
    return harness


def log_of_the_past() -> list[Outgoing]:
    return [outgoing(record) for record in GOLDEN if record.topic == "stamp.events"]


def test_the_golden_log_holds_what_it_should() -> None:
    """Or else the tests below would prove nothing."""
    types = [dict(record.headers)["ce_type"] for record in GOLDEN if record.topic == "stamp.events"]
    assert types.count(b"coin.stamped.v1") == 3
    assert types.count(b"coin.stamped.v2") == 2


def test_an_engine_recovers_from_it(mint: Harness) -> None:
    mint.run_until_idle()
    coins = {press: dict(mint.state("stamp", f"press/{press}").coins.sorted_items()) for press in ("a", "b")}
    assert coins == {
        "a": {"c1": (500, "unknown"), "c3": (100, "unknown"), "c4": (250, "unknown")},
        "b": {"c2": (700, "unknown"), "c5": (30, "unknown")},
    }


def test_its_bytes_stay_as_they_are__and_the_chain_goes_on_over_them(mint: Harness) -> None:
    mint.put(StampCoin(press="a", value_minor=1), id="c6")
    mint.run_until_idle()
    records = mint.records("stamp.events", 0)
    past = log_of_the_past()
    assert [outgoing(record) for record in records[: len(past)]] == past
    lives = mint.wait(mint.store.incarnations(["stamp.events"], 0))
    chain = genesis("toy", "stamp.events", 0, lives["stamp.events"])
    for record in records:
        chain = record_digest(chain, record.key, record.value, record.headers)
        assert dict(record.headers)["ce_chain"] == chain.hex().encode()


def test_todays_release_announces_itself_and_writes_todays_shape(mint: Harness) -> None:
    mint.put(StampCoin(press="a", value_minor=1), id="c6")
    mint.run_until_idle()
    release, stamped = mint.log("stamp")[-2:]
    assert release.type == "release.started.v1"
    assert stamped.type == "coin.stamped.v3"
    assert stamped.content == CoinStamped(coin="c6", value_minor=1, stamped_by="mint")


def test_a_repeat_of_an_input_of_the_past_is_a_duplicate(mint: Harness) -> None:
    first, *_ = [record for record in GOLDEN if record.topic == "stamps"]
    mint.append(outgoing(first))
    mint.run_until_idle()
    (before, repeat) = mint.passed("stamp")
    assert (repeat.fate, repeat.id, repeat.of) == ("duplicate", "c1", before.of)
    assert str(repeat.of).endswith("/0/1")


def of_type(headers: Headers, wire: bytes) -> Headers:
    return tuple((name, wire if name == "ce_type" else value) for name, value in headers)


def past_input(harness: Harness, value: bytes) -> None:
    """Append an input as a producer sends it that still speaks the first version."""
    record = harness.record(StampCoin(press="a", value_minor=1), id="old")
    harness.append(record._replace(value=value, headers=of_type(record.headers, b"coin.stamp.v1")))
    harness.run_until_idle()
    assert harness.stopped == {}


def test_a_producer_may_still_speak_an_older_version(mint: Harness) -> None:
    past_input(mint, b'{"press":"a","value":3}')
    assert mint.state("stamp", "press/a").coins["old"] == (300, "mint")


@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        b"[]",
        b"5",
        b'"a"',
        b"null",
        b"{",
        b'{"press":"a","value":null}',
        b"[" * 200_000,
        b'{"press":"a","value":NaN}',
    ],
    ids=["empty", "list", "number", "text", "null", "half", "null inside", "deep", "not a number"],
)
def test_what_cannot_be_upcast_stops_nothing(mint: Harness, value: bytes) -> None:
    past_input(mint, value)
    last = mint.log("stamp")[-1]
    assert isinstance(last.content, (SetAside, Refused))
    mint.put(StampCoin(press="a", value_minor=1), id="c6")
    mint.run_until_idle()
    assert mint.state("stamp", "press/a").coins["c6"] == (1, "mint")


def test_a_type_without_a_way_to_today_is_set_aside(mint: Harness) -> None:
    record = mint.record(StampCoin(press="a", value_minor=1))
    mint.append(record._replace(headers=of_type(record.headers, b"coin.stamp.v0")))
    mint.run_until_idle()
    (aside,) = [event for event in mint.events("stamp", SetAside) if event.cause == "unknown-type"]
    assert "coin.stamp.v0" in aside.reason
