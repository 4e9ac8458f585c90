"""The wire form: golden bytes of each kind of record, ids, digests, and headers as they are packed."""

import struct
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID, uuid5

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Outgoing, Record
from services.kernel.export import record_json, record_of
from services.kernel.proofs import vouch
from services.kernel.wire import (
    Cause,
    UnreadableError,
    content_digest,
    decode_headers,
    encode_headers,
    genesis,
    input_digest,
    input_record,
    log_record,
    message_record,
    read_input_headers,
    record_digest,
    stable_id,
)
from tests.support.golden import FOLDER, load, outgoing, spell
from tests.support.harness import START
from tests.support.toy import CoinInserted, InsertCoin, TillTotal

NAMESPACE = UUID("6a7f2f0e-6f0f-5b1e-9d7e-1f6f3f0a7c11")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LIFE = "0123456789abcdef"
EVENT_ID = "3b241101-e2bb-4255-8caf-4136c566a962"


def coin(number: int = 1) -> Outgoing:
    content = InsertCoin(till="a", value_minor=number, note="Grüße")
    return input_record(
        "coins", 3, content.key(), id=f"c{number}", source="/machine", wire=content.wire, value=content.to_bytes()
    )


def message() -> Outgoing:
    content = TillTotal(till="a", total_minor=12)
    identifier = stable_id(EVENT_ID, "bank", 2, "vault/main", content.wire)
    return message_record(
        "bank.inbox",
        2,
        "vault/main",
        identifier,
        content.wire,
        content.to_bytes(),
        "/toy/till",
        EVENT_ID,
        "c1",
        START + 1,
    )


def log() -> Outgoing:
    before = genesis("toy", "till.events", 3, LIFE)
    record = Record("coins", 3, 17, START, *coin()[2:])
    content = CoinInserted(coin="c1", value_minor=1, total_minor=12, rate=1, closes_at=START + 60_000)
    cause = Cause(
        id="c1",
        correlation="c0",
        input=f"till.inbox@{LIFE}/3/17",
        key="till/b",
        sender="mint",
        stream="coins",
        at=START,
        since=START - 1_000,
        input_sha256=input_digest(record),
        content_sha256=content_digest(InsertCoin.wire, record.value or b""),
    )
    event_id = stable_id("toy", "till", "till/a", 7)
    written, _ = log_record(
        *("till.events", 3, "/toy/till", "till/a", 7, event_id, content.wire, content.to_bytes(), START, cause, before)
    )
    return written


GOLDEN: dict[str, Callable[[], list[Outgoing]]] = {
    "input": lambda: [coin()],
    "message": lambda: [message()],
    "log_record": lambda: [log()],
    "voucher": lambda: vouch(KEY, "bot", "toy", [coin()]),
    "batch_voucher": lambda: vouch(KEY, "bot", "toy", [coin(number) for number in range(1, 6)]),
}


def stored(records: list[Outgoing]) -> list[Record]:
    return [
        Record(record.topic, record.partition, offset, START, record.key, record.value, record.headers)
        for offset, record in enumerate(records, 1)
    ]


@pytest.mark.parametrize(("name", "build"), GOLDEN.items(), ids=GOLDEN)
def test_the_wire_form_is_what_it_was(name: str, build: Callable[[], list[Outgoing]]) -> None:
    """A difference means that what others stored, or sign, is read no more: a new version, never a new golden file."""
    assert spell(stored(build())) == (FOLDER / f"{name}.jsonl").read_bytes()


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_records_are_read_back(name: str) -> None:
    assert [outgoing(record) for record in load(f"{name}.jsonl")] == GOLDEN[name]()


def test_the_chain_of_the_golden_log_record_is_the_documented_hash() -> None:
    """Spelled out: sha256(before ‖ number of parts ‖ length of each ‖ parts), headers by name, without the chain."""
    (record,) = load("log_record.jsonl")
    headers = dict(record.headers)
    stated = headers.pop("ce_chain")
    parts = [record.key or b"", record.value or b""]
    parts += [part for name in sorted(headers) for part in (name.encode(), headers[name])]
    before = sha256(orjson.dumps(["toy", "till.events", 3, LIFE])).digest()
    lengths = struct.pack(f">{len(parts) + 1}I", len(parts), *map(len, parts))
    assert sha256(before + lengths + b"".join(parts)).hexdigest().encode() == stated


PARTS = st.lists(st.text() | st.integers(-(2**63), 2**63 - 1), max_size=5)


@given(PARTS)
def test_a_stable_id_is_the_uuid5_of_its_parts(parts: list[str | int]) -> None:
    assert stable_id(*parts) == str(uuid5(NAMESPACE, orjson.dumps(parts).decode()))


def test_a_stable_id_is_what_it_was() -> None:
    assert stable_id("toy", "till", "till/a", 7) == "afa020f1-acd0-5d92-9f0f-19679a734104"


HEADERS = st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=9)), max_size=5).map(tuple)
BYTES = st.none() | st.binary(max_size=9)


@given(HEADERS)
def test_packed_headers_are_unpacked_as_they_were(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert decode_headers(encode_headers(headers)) == headers


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("", b""),),
        (("#", b"x"),),
        (("x", b"a\x1fb"),),
        (("x\x1f", b""),),
        (("x", b"\x1f"), ("y", b"")),
        (("x", b"\xff\xfe"),),
        (("x", b"1"), ("x", b"2")),
    ],
    ids=range(8),
)
def test_awkward_headers_are_unpacked_as_they_were(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert decode_headers(encode_headers(headers)) == headers


@given(st.binary(max_size=9), BYTES, BYTES, HEADERS, st.binary(max_size=9), BYTES, BYTES, HEADERS)
def test_a_digest_tells_records_apart(
    before: bytes,
    key: bytes | None,
    value: bytes | None,
    headers: tuple[tuple[str, bytes], ...],
    other_before: bytes,
    other_key: bytes | None,
    other_value: bytes | None,
    other_headers: tuple[tuple[str, bytes], ...],
) -> None:
    one = (before.ljust(32), key, value, sorted(header for header in headers if header[0] != "ce_chain"))
    other = (
        *(other_before.ljust(32), other_key, other_value),
        sorted(header for header in other_headers if header[0] != "ce_chain"),
    )
    same = record_digest(one[0], key, value, headers) == record_digest(other[0], other_key, other_value, other_headers)
    assert same == (one == other)


@given(st.lists(st.binary(max_size=3), min_size=2, max_size=6), st.integers(0, 6))
def test_bytes_cannot_be_shifted_from_one_part_into_another(parts: list[bytes], cut: int) -> None:
    joined = b"".join(parts)
    shifted = (joined[:cut], joined[cut:])
    expected = record_digest(b"", parts[0], b"".join(parts[1:]), ())
    assert (record_digest(b"", *shifted, ()) == expected) == (shifted[0] == parts[0])


def test_absent_and_empty_differ() -> None:
    digests = {record_digest(b"", key, value, ()) for key in (None, b"") for value in (None, b"")}
    assert len(digests) == 4


def test_the_chain_header_and_the_order_of_headers_do_not_count() -> None:
    headers = (("a", b"1"), ("b", b"2"))
    expected = record_digest(b"", b"k", b"v", headers)
    assert record_digest(b"", b"k", b"v", headers[::-1]) == expected
    assert record_digest(b"", b"k", b"v", (*headers, ("ce_chain", b"anything"))) == expected


def test_the_time_of_an_input_counts_in_its_digest() -> None:
    record = stored([coin()])[0]
    assert input_digest(record) != input_digest(record._replace(timestamp=START + 1))


def test_headers_that_have_nothing_to_say_are_left_out() -> None:
    cause = Cause("deadline-id", "deadline-id", "deadline/close/x", "till/a", "", None, START, START, "", "")
    written, chain = log_record(
        *("till.events", 3, "/toy/till", "till/a", 7, EVENT_ID, "till.closed.v1", b"{}", START, cause, b"")
    )
    names = [name for name, _ in written.headers]
    assert names == sorted(names)
    assert not {"ce_contentsha256", "ce_inputkey", "ce_inputsha256", "ce_sender", "ce_since", "ce_stream"} & set(names)
    assert dict(written.headers)["ce_chain"] == chain.hex().encode()


def test_a_header_name_that_is_not_utf8__unreadable_and_digested_as_stored() -> None:
    name = b"\xff".decode(errors="surrogateescape")
    record = Record("t", 0, 1, 0, b"k", b"{}", (("ce_id", b"1"), (name, b"v")))
    with pytest.raises(UnreadableError, match=r"header \\udcff is not UTF-8"):
        read_input_headers(record)
    packed = encode_headers(record.headers)
    assert b"\xff" in packed
    assert decode_headers(packed) == record.headers
    assert record_of(orjson.loads(orjson.dumps(record_json(record)))) == record
    assert input_digest(record) != input_digest(record._replace(headers=(("ce_id", b"1"), ("?", b"v"))))
