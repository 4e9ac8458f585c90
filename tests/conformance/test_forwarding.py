"""A public record that sits in another partition than its key's goes to the owner's inbox, once, with its stream."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.envelope import Outgoing
from services.kernel.decider import Principal
from services.kernel.proofs import vouch
from services.kernel.records import Refused, SetAside
from services.kernel.space import Space
from tests.support.harness import START, Harness, NewHarness
from tests.support.toy import CoinInserted, InsertCoin, TillTotal


def misplaced(harness: Harness, *, id: str | None = None) -> Outgoing:  # noqa: A002 - the attribute's name
    """Build a coin for a till of partition 1 that sits in partition 0."""
    return harness.record(InsertCoin(till=harness.name_in(1), value_minor=5), partition=0, id=id)


@pytest.mark.parametrize("key", [None, b"", b"till/another", b"\xff\xfe"], ids=["missing", "empty", "wrong", "no text"])
def test_a_misplaced_record_is_decided_by_its_owner__whatever_its_key(harness: Harness, key: bytes | None) -> None:
    (position,) = harness.append(misplaced(harness)._replace(key=key))
    harness.pass_time(40)
    harness.run_until_idle()
    assert harness.story("till", 0) == []
    (passed,) = harness.passed("till", 0)
    assert (passed.fate, passed.offset, passed.to_partition) == ("forwarded", position.offset, 1)
    entry = harness.entry_of("till", CoinInserted)
    assert entry.key == f"till/{harness.name_in(1)}"
    assert entry.at == START + 40, "its `at` is its arrival at the owner's"
    assert entry.headers["ce_stream"] == "coins"
    assert entry.headers["ce_input"].startswith("till.inbox@")
    assert entry.headers["ce_sender"] == "mint", "the stream's owner, as if it had never been misplaced"
    (forwarded,) = harness.records("till.inbox", 1)
    assert dict(forwarded.headers)["ce_forwardedfrom"] == str(position).encode()


@pytest.mark.parametrize("key", [None, b"till/another"], ids=["missing", "wrong"])
def test_a_wrong_key_in_the_right_partition_is_decided_where_it_is(harness: Harness, key: bytes | None) -> None:
    record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=5))
    harness.append(record._replace(key=key))
    harness.run_until_idle()
    entry = harness.entry_of("till", CoinInserted)
    assert entry.key == f"till/{harness.name_in(0)}"
    assert "ce_stream" not in entry.headers
    assert harness.passed("till") == []


def test_a_forwarded_repeat_is_a_duplicate__of_an_input_that_was_in_its_place(harness: Harness) -> None:
    first = harness.put(InsertCoin(till=harness.name_in(1), value_minor=5), id="c")
    harness.run_until_idle()
    harness.append(misplaced(harness, id="c"))
    harness.run_until_idle()
    assert len(harness.events("till", CoinInserted)) == 1
    (duplicate,) = harness.passed("till", 1)
    assert (duplicate.fate, duplicate.of) == ("duplicate", str(first))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_repeat_in_its_place_is_a_duplicate__of_a_forwarded_input(harness: Harness, restarted: bool) -> None:
    harness.append(misplaced(harness, id="c"))
    harness.run_until_idle()
    if restarted:
        harness.restart()
    harness.put(InsertCoin(till=harness.name_in(1), value_minor=5), id="c")
    harness.append(misplaced(harness, id="c"))
    harness.run_until_idle()
    entry = harness.entry_of("till", CoinInserted)
    assert [(passed.fate, passed.of) for passed in harness.passed("till", 1)] == [
        ("duplicate", entry.headers["ce_input"])
    ] * 2


def test_a_forwarded_input_with_a_used_id_and_other_content_is_refused(harness: Harness) -> None:
    harness.append(misplaced(harness, id="c"))
    harness.put(InsertCoin(till=harness.name_in(1), value_minor=6), id="c")
    harness.run_until_idle()
    assert len(harness.events("till", CoinInserted)) == 1
    assert [refused.rule for refused in harness.events("till", Refused)] == ["input.id-reused"]


def test_a_forwarded_input_needs_the_proof_that_it_would_need_in_its_place(new_harness: NewHarness) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    public = key.public_key().public_bytes_raw().hex()
    bot = Principal("bot", public, frozenset(("coins",)), frozenset())
    harness = new_harness(space=Space("toy", 2, owned={"rates": "boss"}, principals={"bot": bot}))
    proven, unproven = misplaced(harness, id="proven"), misplaced(harness, id="unproven")
    elsewhere = vouch(key, "bot", "toy", [misplaced(harness, id="other")._replace(topic="till.inbox")])[0]
    harness.append(*vouch(key, "bot", "toy", [proven]), unproven, elsewhere._replace(topic="coins"))
    harness.run_until_idle()
    entry = harness.entry_of("till", CoinInserted)
    assert (entry.headers["ce_causationid"], entry.headers["ce_sender"]) == ("proven", "bot")
    assert [refused.rule for refused in harness.events("till", Refused)] == ["proof.missing", "proof.forged"]


def test_a_forwarded_input_is_never_forwarded_again(harness: Harness) -> None:
    """A partition count or a partitioner that somebody got wrong must not send records round in circles."""
    harness.append(misplaced(harness))
    harness.run_until_idle([("till", 0)])
    (forwarded,) = harness.records("till.inbox", 1)
    harness.append(Outgoing("till.inbox", 0, forwarded.key, forwarded.value, forwarded.headers))
    harness.run_until_idle()
    (aside,) = harness.events("till", SetAside, 0)
    assert aside.cause == "misplaced"
    assert len(harness.records("till.inbox", 0)) == len(harness.records("till.inbox", 1)) == 1
    assert len(harness.events("till", CoinInserted)) == 1


@pytest.mark.parametrize("stream", ["rates", "till.inbox", "nonsense"])
def test_a_forwarded_input_of_a_stream_that_is_not_the_services_is_set_aside(harness: Harness, stream: str) -> None:
    record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=5), extra={"ce_stream": stream.encode()})
    harness.append(record._replace(topic="till.inbox"))
    harness.run_until_idle()
    assert [aside.cause for aside in harness.events("till", SetAside)] == ["unknown-stream"]


def test_a_misplaced_record_that_breaks_the_schema_is_refused_where_it_is(harness: Harness) -> None:
    harness.append(misplaced(harness)._replace(value=b'{"till":5,"value_minor":1}'))
    harness.run_until_idle()
    entry = harness.entry_of("till", Refused)
    assert entry.key == "partition/0"


def test_a_message_of_a_sibling_is_no_forwarded_input(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(0), value_minor=5))
    harness.run_until_idle()
    (message,) = [record for number in (0, 1) for record in harness.records("bank.inbox", number)]
    assert message.value == TillTotal(till=harness.name_in(0), total_minor=5).to_bytes()
    assert not {"ce_stream", "ce_forwardedfrom"} & dict(message.headers).keys()
