"""What cannot be read is set aside with its cause and costs nobody else anything."""

import pytest

from schemas.envelope import Headers, Outgoing
from services.kernel.records import SetAside
from services.kernel.space import INPUT_BYTES_MAX
from tests.support.harness import Harness
from tests.support.toy import CoinInserted, InsertCoin


def without(headers: Headers, name: str) -> Headers:
    return tuple(header for header in headers if header[0] != name)


def having(headers: Headers, name: str, value: bytes) -> Headers:
    return (*without(headers, name), (name, value))


def with_value(value: bytes | None) -> dict[str, object]:
    return {"value": value}


def good(harness: Harness) -> Outgoing:
    return harness.record(InsertCoin(till=harness.name_in(0), value_minor=5), id="c")


VALUES = {
    "no value": (None, "no-value"),
    "empty value": (b"", "not-json"),
    "not JSON": (b"five coins", "not-json"),
    "half JSON": (b'{"till": "a"', "not-json"),
    "not UTF-8": (b'{"till": "\xff", "value_minor": 1}', "not-json"),
    "half a character": (b'{"till": "\\ud800", "value_minor": 1}', "not-json"),
    "a million brackets": (b"[" * 200_000, "not-json"),
    "a number without end": (b'{"till": "a", "value_minor": ' + b"9" * 5_000 + b"}", "not-json"),
}
MISSING = dict.fromkeys(("ce_id", "ce_source", "ce_type", "ce_specversion"), "header-missing")
HEADERS = {
    "unknown type": ("ce_type", b"coin.eaten.v1", "unknown-type"),
    "a type of another stream": ("ce_type", b"rate.change.v1", "unknown-type"),
    "a type of a log": ("ce_type", b"coin.inserted.v1", "unknown-type"),
    "another version of CloudEvents": ("ce_specversion", b"0.3", "specversion"),
    "an id that is no text": ("ce_id", b"\xff\xfe", "header-not-text"),
    "an empty id": ("ce_id", b"", "header-not-text"),
    "an id with a line feed": ("ce_id", b"a\nb", "header-not-text"),
    "an id of 513 characters": ("ce_id", b"a" * 513, "header-not-text"),
    "a source that is no text": ("ce_source", b"\xff\xfe", "header-not-text"),
    "a correlation that is no text": ("ce_correlationid", b"\xff\xfe", "header-not-text"),
    "a since that is no instant": ("ce_since", b"yesterday", "header-not-instant"),
}


def set_aside(harness: Harness, record: Outgoing) -> SetAside:
    """Append a record between two good coins and return how it was set aside."""
    till = harness.name_in(0)
    harness.put(InsertCoin(till=till, value_minor=1))
    (position,) = harness.append(record)
    harness.put(InsertCoin(till=till, value_minor=2))
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1", "input.set-aside.v1", "coin.inserted.v1"]
    entry = harness.entry_of("till", SetAside)
    assert isinstance(entry.content, SetAside)
    assert entry.key == "partition/0"
    assert entry.content.position == entry.headers["ce_input"] == str(position)
    assert entry.content.size_bytes == len(record.value or b"")
    assert entry.content.reason
    assert entry.content.passed_by is None
    harness.restart()
    harness.run_until_idle()
    assert len(harness.events("till", SetAside)) == 1
    return entry.content


@pytest.mark.parametrize(("value", "cause"), VALUES.values(), ids=VALUES)
def test_a_value_that_cannot_be_read_is_set_aside(harness: Harness, value: bytes | None, cause: str) -> None:
    assert set_aside(harness, good(harness)._replace(value=value)).cause == cause


@pytest.mark.parametrize(("name", "cause"), MISSING.items(), ids=MISSING)
def test_a_record_without_a_needed_header_is_set_aside(harness: Harness, name: str, cause: str) -> None:
    record = good(harness)
    aside = set_aside(harness, record._replace(headers=without(record.headers, name)))
    assert aside.cause == cause
    assert name in aside.reason


@pytest.mark.parametrize(("name", "value", "cause"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_cannot_be_read_sets_the_record_aside(
    harness: Harness, name: str, value: bytes, cause: str
) -> None:
    record = good(harness)
    assert set_aside(harness, record._replace(headers=having(record.headers, name, value))).cause == cause


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "x-trace"])
def test_a_header_that_stands_twice_sets_the_record_aside(harness: Harness, name: str) -> None:
    record = good(harness)
    twice = (*record.headers, (name, b"once"), (name, b"twice"))
    aside = set_aside(harness, record._replace(headers=twice))
    assert aside.cause == "header-twice"
    assert name in aside.reason


def test_a_record_without_any_header_is_set_aside(harness: Harness) -> None:
    assert set_aside(harness, good(harness)._replace(headers=())).cause == "header-missing"


def test_foreign_headers_do_no_harm(harness: Harness) -> None:
    extra = {"traceparent": b"00-01-02-03", "x-bytes": b"\xff\x00\x1f#", "": b"", "#": b"#"}
    harness.append(harness.record(InsertCoin(till=harness.name_in(0), value_minor=5), extra=extra))
    harness.run_until_idle()
    harness.restart()
    harness.run_until_idle()
    assert len(harness.events("till", CoinInserted)) == 1
    assert dict(harness.records("coins", 0)[0].headers).items() >= extra.items()


def size_of(record: Outgoing) -> int:
    return len(record.key or b"") + len(record.value or b"") + sum(len(n) + len(v) for n, v in record.headers)


def of_size(harness: Harness, size: int, *, where: str) -> Outgoing:
    """Build a coin of an exact size, its bulk in the value or in a header."""
    if where == "header":
        record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=5), extra={"x": b""})
        return record._replace(headers=having(record.headers, "x", b"x" * (size - size_of(record))))
    bare = harness.record(InsertCoin(till=harness.name_in(0), value_minor=5, note=""), id="c")
    note = "n" * (size - size_of(bare))
    return harness.record(InsertCoin(till=harness.name_in(0), value_minor=5, note=note), id="c")


@pytest.mark.parametrize("where", ["value", "header"])
def test_a_record_of_the_largest_size_is_decided(harness: Harness, where: str) -> None:
    record = of_size(harness, INPUT_BYTES_MAX, where=where)
    assert size_of(record) == INPUT_BYTES_MAX
    harness.append(record)
    harness.run_until_idle()
    assert harness.story("till", 0) == ["coin.inserted.v1"]


@pytest.mark.parametrize("where", ["value", "header"])
def test_a_record_one_byte_larger_is_set_aside(harness: Harness, where: str) -> None:
    aside = set_aside(harness, of_size(harness, INPUT_BYTES_MAX + 1, where=where))
    assert aside.cause == "too-large"
    assert str(INPUT_BYTES_MAX + 1) in aside.reason


def test_what_was_set_aside_can_be_repaired_and_sent_again_under_its_id(harness: Harness) -> None:
    record = good(harness)
    harness.append(record._replace(value=b"{"))
    harness.append(record)
    harness.run_until_idle()
    assert harness.story("till", 0) == ["input.set-aside.v1", "coin.inserted.v1"]


def test_an_unreadable_message_of_a_sibling_is_set_aside(harness: Harness) -> None:
    record = good(harness)._replace(topic="till.inbox")
    messages = {
        "not-json": record._replace(value=b"{"),
        "schema": record._replace(value=b"{}"),
        "unknown-aggregate": record._replace(key=b"drawer/1"),
        "unknown-type": record._replace(headers=having(record.headers, "ce_type", b"coin.eaten.v1")),
    }
    harness.append(*messages.values())
    facts = record._replace(key=b"facts/0", headers=having(record.headers, "ce_type", b"total.noted.v1"))
    harness.append(facts, record._replace(key=None))
    harness.run_until_idle()
    causes = [aside.cause for aside in harness.events("till", SetAside)]
    assert causes == [*messages, "unknown-type", "unknown-aggregate"]
