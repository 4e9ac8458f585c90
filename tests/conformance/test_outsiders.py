"""Headers by which services speak to each other mean nothing on a public topic: an outsider gains nothing by them."""

import pytest

from schemas.envelope import Outgoing
from schemas.instants import format_instant
from services.kernel.records import SetAside
from tests.support.harness import START, Entry, Harness
from tests.support.toy import WINDOW, CoinInserted, InsertCoin, RateHeard, RateTold

LONG_AGO = format_instant(START - 1_000).encode()
ABUSE = {
    "ce_stream": b"rates",
    "ce_forwardedfrom": b"rates@0123456789abcdef/0/1",
    "ce_since": LONG_AGO,
    "ce_correlationid": b"somebody-elses",
    "ce_causationid": b"somebody-elses",
    "ce_sequence": b"9",
    "ce_sender": b"boss",
    "ce_chain": b"00",
    "ce_time": LONG_AGO,
    "ce_input": b"rates@0123456789abcdef/0/1",
}


def abusive(harness: Harness, *, partition: int | None = None) -> Outgoing:
    coin = InsertCoin(till=harness.name_in(1), value_minor=5)
    return harness.record(coin, id="c", extra=ABUSE, partition=partition)


def only(harness: Harness) -> Entry:
    (entry,) = [entry for entry in harness.log("till") if "ce_input" in entry.headers]
    return entry


@pytest.mark.parametrize("value_minor", [5, 0], ids=["accepted", "refused"])
@pytest.mark.parametrize("partition", [0, 1], ids=["misplaced", "in its place"])
def test_the_log_says_what_is_true__whatever_the_headers_claim(
    harness: Harness, value_minor: int, partition: int
) -> None:
    coin = InsertCoin(till=harness.name_in(1), value_minor=value_minor)
    harness.append(harness.record(coin, id="c", extra=ABUSE, partition=partition))
    harness.run_until_idle()
    entry = only(harness)
    topic = "coins" if partition == 1 else "till.inbox"
    assert entry.headers["ce_correlationid"] == "c"
    assert entry.headers["ce_causationid"] == "c"
    assert entry.headers.get("ce_stream") == (None if partition == 1 else "coins")
    assert entry.headers["ce_sender"] == "mint"
    assert entry.headers["ce_sequence"] in {"1", "2"}
    assert entry.headers["ce_input"].startswith(f"{topic}@")
    assert entry.at == START
    assert "ce_since" not in entry.headers


def test_a_window_starts_at_the_append_time__whatever_ce_since_says(harness: Harness) -> None:
    harness.append(abusive(harness))
    harness.run_until_idle()
    assert harness.events("till", CoinInserted)[0].closes_at == START + WINDOW


@pytest.mark.parametrize("partition", [0, 1])
def test_what_is_set_aside_speaks_only_for_itself(harness: Harness, partition: int) -> None:
    harness.append(abusive(harness, partition=partition)._replace(value=b"{"))
    harness.run_until_idle()
    entry = only(harness)
    assert isinstance(entry.content, SetAside)
    assert entry.headers["ce_correlationid"] == "c"
    assert "ce_stream" not in entry.headers


def test_a_message_for_siblings_is_not_accepted_from_outsiders(harness: Harness) -> None:
    till = harness.name_in(0)
    harness.send("till", f"till/{till}", RateTold(till=till, rate=4), id="m", since=START)
    (message,) = harness.records("till.inbox", 0)
    harness.append(Outgoing("coins", 0, message.key, message.value, message.headers))
    harness.run_until_idle()
    assert len(harness.events("till", RateHeard)) == 1
    assert [aside.cause for aside in harness.events("till", SetAside)] == ["unknown-type"]


def test_a_forged_topic_marker_is_set_aside(harness: Harness) -> None:
    """Only the first record of a topic partition can be its marker."""
    record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=1))
    headers = dict(record.headers) | {"ce_type": b"topic.started.v1"}
    value = b'{"topic":"coins","incarnation":"0000000000000000"}'
    harness.append(record._replace(headers=tuple(headers.items()), value=value))
    harness.run_until_idle()
    assert [aside.cause for aside in harness.events("till", SetAside)] == ["unknown-type"]
