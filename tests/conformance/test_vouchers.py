"""Who sent an input: vouchers of principals, over one input or over a batch, and exactly what is refused."""

from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.envelope import Outgoing
from schemas.principals import PrincipalRegistered, PrincipalRevoked
from services.kernel.decider import Principal
from services.kernel.proofs import vouch
from services.kernel.records import Refused
from services.kernel.space import Space
from tests.support.harness import Entry, Harness, NewHarness
from tests.support.toy import ChangeRate, CoinInserted, InsertCoin, RateSet

BOT_KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
ALICE, MALLORY = "eip155:1:0x" + "a" * 40, "eip155:1:0x" + "b" * 40


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


PRINCIPALS = {
    "bot": Principal("bot", public(BOT_KEY), frozenset(("coins",)), frozenset((ALICE,))),
    "gateway": Principal("gateway", public(OTHER_KEY), frozenset(("*",)), frozenset(("*",))),
    "reader": Principal("reader", public(BOT_KEY), frozenset(("rates", "notes")), frozenset()),
}


@pytest.fixture
def bank(new_harness: NewHarness) -> Harness:
    """A space whose coins need a proof."""
    return new_harness(space=Space("toy", 2, owned={"rates": "boss"}, principals=PRINCIPALS))


def coin(harness: Harness, value_minor: int = 5, *, payer: str | None = None, id: str = "c") -> Outgoing:  # noqa: A002
    return harness.record(InsertCoin(till=harness.name_in(0), value_minor=value_minor, payer=payer), id=id)


def proof_of(record: Outgoing) -> dict[str, Any]:
    proof: dict[str, Any] = orjson.loads(dict(record.headers)["ce_proof"])
    return proof


def with_proof(record: Outgoing, proof: object) -> Outgoing:
    header = proof if isinstance(proof, bytes) else orjson.dumps(proof)
    headers = tuple(header for header in record.headers if header[0] != "ce_proof")
    return record._replace(headers=(*headers, ("ce_proof", header)))


def with_header(record: Outgoing, name: str, value: bytes) -> Outgoing:
    return record._replace(headers=tuple((n, value if n == name else v) for n, v in record.headers))


def accepted(harness: Harness, *records: Outgoing) -> list[Entry]:
    harness.append(*records)
    harness.run_until_idle()
    return [entry for entry in harness.log("till") if isinstance(entry.content, CoinInserted)]


def refused(harness: Harness, *records: Outgoing) -> Refused:
    """Append records and return the one refusal; it says nothing of a sender, because none is proven."""
    harness.append(*records)
    harness.run_until_idle()
    entry = harness.entry_of("till", Refused)
    assert isinstance(entry.content, Refused)
    assert entry.key == "partition/0"
    assert "ce_sender" not in entry.headers
    return entry.content


@pytest.mark.parametrize(("payer", "sender"), [(None, "bot"), (ALICE, ALICE)])
def test_a_voucher_proves_the_principal_or_the_account_it_acts_for(
    bank: Harness, payer: str | None, sender: str
) -> None:
    (entry,) = accepted(bank, *vouch(BOT_KEY, "bot", "toy", [coin(bank, payer=payer)]))
    assert entry.headers["ce_sender"] == sender


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 9, 33])
def test_one_signature_vouches_for_a_whole_batch(bank: Harness, size: int) -> None:
    records = vouch(BOT_KEY, "bot", "toy", [coin(bank, id=f"c{number}") for number in range(size)])
    entries = accepted(bank, *records)
    assert [entry.headers["ce_causationid"] for entry in entries] == [f"c{number}" for number in range(size)]
    assert len({proof_of(record)["signature"] for record in records}) == 1


def test_the_stars_of_a_gateway_mean_every_stream_and_account(bank: Harness) -> None:
    (entry,) = accepted(bank, *vouch(OTHER_KEY, "gateway", "toy", [coin(bank, payer=MALLORY)]))
    assert entry.headers["ce_sender"] == MALLORY


def test_no_proof_is_refused(bank: Harness) -> None:
    answer = refused(bank, coin(bank))
    assert answer.rule == "proof.missing"
    assert answer.value == "no ce_proof header"
    assert "coins" in answer.accepted


def test_an_owned_stream_needs_no_proof(harness: Harness) -> None:
    (entry,) = accepted(harness, coin(harness))
    assert entry.headers["ce_sender"] == "mint"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ce_id", b"d"), ("ce_source", b"/elsewhere"), ("ce_type", b"coin.explode.v1")],
    ids=["id", "source", "type"],
)
def test_a_voucher_for_other_headers_is_forged(bank: Harness, name: str, value: bytes) -> None:
    (record,) = vouch(BOT_KEY, "bot", "toy", [coin(bank)])
    if name == "ce_type":
        record = record._replace(value=orjson.dumps({"till": bank.name_in(0)}))
    assert refused(bank, with_header(record, name, value)).rule == "proof.forged"


def test_a_voucher_for_another_value_is_forged(bank: Harness) -> None:
    (record,) = vouch(BOT_KEY, "bot", "toy", [coin(bank, 5)])
    answer = refused(bank, record._replace(value=coin(bank, 6).value))
    assert answer.rule == "proof.forged"
    assert answer.value == "a signature that is not bot's over this input"
    assert public(BOT_KEY) in answer.accepted


def test_a_voucher_for_another_space_is_forged(bank: Harness) -> None:
    assert refused(bank, *vouch(BOT_KEY, "bot", "toy2", [coin(bank)])).rule == "proof.forged"


def test_a_voucher_for_another_topic_is_forged(bank: Harness) -> None:
    (record,) = vouch(BOT_KEY, "bot", "toy", [coin(bank)._replace(topic="rates")])
    assert refused(bank, record._replace(topic="coins")).rule == "proof.forged"


def test_a_voucher_proves_an_input_of_every_stream__by_its_name(new_harness: NewHarness) -> None:
    harness = new_harness(space=Space("toy", 2, principals=PRINCIPALS))
    harness.append(*vouch(OTHER_KEY, "gateway", "toy", [harness.record(ChangeRate(rate=3))]))
    harness.run_until_idle()
    assert harness.entry_of("bank", RateSet).headers["ce_sender"] == "gateway"


def test_a_voucher_with_another_key_is_forged(bank: Harness) -> None:
    assert refused(bank, *vouch(OTHER_KEY, "bot", "toy", [coin(bank)])).rule == "proof.forged"


MALFORMED: dict[str, object] = {
    "empty": b"",
    "not JSON": b"\xff\x00",
    "no object": [1, 2],
    "no fields": {},
    "no signature": {"principal": "bot"},
    "signature not in hex": {"principal": "bot", "signature": "zz"},
    "signature no text": {"principal": "bot", "signature": 5},
    "principal no text": {"principal": ["bot"], "signature": "00"},
    "index no number": {"principal": "bot", "signature": "00", "index": "0"},
    "index true": {"principal": "bot", "signature": "00", "index": True, "size": True},
    "size no whole number": {"principal": "bot", "signature": "00", "size": 2.0},
    "path no list": {"principal": "bot", "signature": "00", "path": 7},
    "path null": {"principal": "bot", "signature": "00", "path": None},
    "path of numbers": {"principal": "bot", "signature": "00", "path": [1]},
    "path of 33": {"principal": "bot", "signature": "00", "size": 2**33, "path": ["00" * 32] * 33},
}


@pytest.mark.parametrize("proof", MALFORMED.values(), ids=MALFORMED)
def test_a_proof_that_cannot_be_read_is_refused(bank: Harness, proof: object) -> None:
    answer = refused(bank, with_proof(coin(bank), proof))
    assert answer.rule == "proof.malformed"
    assert answer.value


UNFITTING: dict[str, dict[str, object]] = {
    "short signature": {"signature": "00"},
    "no such leaf": {"index": 5},
    "negative leaf": {"index": -1},
    "another leaf": {"index": 0},
    "smaller tree": {"size": 3},
    "larger tree": {"size": 9},
    "empty tree": {"size": 0},
    "huge tree": {"size": 2**63 - 1},
    "no path": {"path": []},
    "alone": {"path": [], "size": 1, "index": 0},
}


@pytest.mark.parametrize("change", UNFITTING.values(), ids=UNFITTING)
def test_a_batch_voucher_with_another_place_in_the_tree_is_forged(bank: Harness, change: dict[str, object]) -> None:
    record = batch(bank)[3]
    assert refused(bank, with_proof(record, proof_of(record) | change)).rule == "proof.forged"


@pytest.mark.parametrize("node", range(3))
@pytest.mark.parametrize("how", ["changed", "dropped", "doubled", "cut"])
def test_a_batch_voucher_with_another_path_is_forged(bank: Harness, node: int, how: str) -> None:
    record = batch(bank)[3]
    path = list(proof_of(record)["path"])
    assert len(path) == 3
    changed = {
        "changed": [("0" if path[node][0] != "0" else "1") + path[node][1:]],
        "dropped": [],
        "doubled": [path[node], path[node]],
        "cut": [path[node][2:]],
    }[how]
    path[node : node + 1] = changed
    assert refused(bank, with_proof(record, proof_of(record) | {"path": path})).rule == "proof.forged"


def test_a_batch_voucher_of_another_leaf_is_forged(bank: Harness) -> None:
    first, second, *_ = batch(bank)
    assert refused(bank, with_proof(first, proof_of(second))).rule == "proof.forged"


def batch(harness: Harness) -> list[Outgoing]:
    return vouch(BOT_KEY, "bot", "toy", [coin(harness, id=f"c{number}") for number in range(5)])


def test_an_unknown_principal_is_refused__until_it_is_registered(bank: Harness) -> None:
    (record,) = vouch(BOT_KEY, "new", "toy", [coin(bank)])
    answer = refused(bank, record)
    assert (answer.rule, answer.value, answer.unknown) == ("proof.principal-unknown", "new", True)
    bank.tell("till", registered("new", BOT_KEY))
    bank.pass_time(1)
    (entry,) = accepted(bank, record)
    assert entry.headers["ce_sender"] == "new", "the refusal did not use up the id"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_revoked_principal_is_unknown__and_what_it_vouched_for_stays_decided(bank: Harness, restarted: bool) -> None:
    bank.tell("till", registered("new", BOT_KEY))
    bank.pass_time(1)
    before, after = (vouch(BOT_KEY, "new", "toy", [coin(bank, id=name)])[0] for name in ("before", "after"))
    bank.append(before)
    bank.pass_time(1)
    bank.tell("till", PrincipalRevoked(principal="new"))
    bank.pass_time(1)
    bank.run_until_idle()
    if restarted:
        bank.restart()
    assert refused(bank, after).rule == "proof.principal-unknown"
    (entry,) = accepted(bank)
    assert entry.headers["ce_causationid"] == "before"


def test_a_principal_with_a_new_key_needs_the_new_key(bank: Harness) -> None:
    bank.tell("till", registered("new", BOT_KEY))
    bank.tell("till", registered("new", OTHER_KEY))
    bank.pass_time(1)
    assert refused(bank, *vouch(BOT_KEY, "new", "toy", [coin(bank)])).rule == "proof.forged"
    assert len(accepted(bank, *vouch(OTHER_KEY, "new", "toy", [coin(bank)]))) == 1


def test_what_stands_in_the_configuration_cannot_be_registered_away(bank: Harness) -> None:
    bank.tell("till", registered("bot", OTHER_KEY))
    bank.pass_time(1)
    assert refused(bank, *vouch(OTHER_KEY, "bot", "toy", [coin(bank)])).rule == "proof.forged"


def registered(principal: str, key: Ed25519PrivateKey) -> PrincipalRegistered:
    return PrincipalRegistered(principal=principal, public_key=public(key), streams=("coins",), accounts=())


def test_a_stream_that_is_not_the_principals_is_refused(bank: Harness) -> None:
    answer = refused(bank, *vouch(BOT_KEY, "reader", "toy", [coin(bank)]))
    assert answer.rule == "principal.stream-not-allowed"
    assert (answer.value, answer.accepted) == ("reader on coins", "reader on notes, rates")


def test_an_account_that_is_not_the_principals_is_refused(bank: Harness) -> None:
    answer = refused(bank, *vouch(BOT_KEY, "bot", "toy", [coin(bank, payer=MALLORY)]))
    assert answer.rule == "principal.account-not-allowed"
    assert (answer.value, answer.accepted) == (f"bot for {MALLORY}", f"bot for {ALICE}")


def test_a_principal_without_accounts_acts_for_itself_only(bank: Harness) -> None:
    bank.tell("till", registered("new", BOT_KEY))
    bank.pass_time(1)
    answer = refused(bank, *vouch(BOT_KEY, "new", "toy", [coin(bank, payer=ALICE)]))
    assert answer.rule == "principal.account-not-allowed"
    assert answer.accepted == "new for no account: it may act for itself only"


def test_a_refused_proof_does_not_use_up_the_id_of_the_true_sender(bank: Harness) -> None:
    bank.append(coin(bank))
    bank.append(*vouch(OTHER_KEY, "bot", "toy", [coin(bank)]))
    assert len(accepted(bank, *vouch(BOT_KEY, "bot", "toy", [coin(bank)]))) == 1


def test_an_id_is_unique_for_each_sender(bank: Harness) -> None:
    bank.append(*vouch(BOT_KEY, "bot", "toy", [coin(bank, 5)]))
    bank.append(*vouch(OTHER_KEY, "gateway", "toy", [coin(bank, 6)]))
    bank.run_until_idle()
    assert [event.rule for event in bank.events("till", Refused)] == ["coin.known"], "decided, and not as a repeat"
    assert bank.passed("till") == []
