"""Guardians vouch on governance's own stream, where what has no voucher is root's."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.envelope import Record
from schemas.governance import PrincipalRegistered, PrincipalRevoked
from schemas.topics import OWNED
from services.governance.facts import Facts, GovernanceFacts
from services.kernel.decider import Refused
from services.kernel.proofs import Sender, prove, vouch
from services.kernel.space import Space
from services.kernel.wire import input_record, read_input_headers
from tests.unit.governance.examples import halt

KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"1")
SPACE = Space("main", 1, owned=OWNED)
TOPIC = "governance.actions"
FOLD = GovernanceFacts()


def knowing(*streams: str) -> Facts:
    """Facts after governance registered `ann` for these streams."""
    public_key = KEY.public_key().public_bytes_raw().hex()
    event = PrincipalRegistered(principal="ann", public_key=public_key, streams=streams, accounts=())
    return FOLD.evolve_own(FOLD.initial(), "scope/main", event)


def sender(facts: Facts, *, vouched: bool = True) -> Sender | Refused:
    """Who sent a halt, as governance proves it."""
    content = halt()
    value = content.to_bytes()
    record = input_record(TOPIC, 0, None, id="i1", source="ann", wire=content.wire, value=value)
    if vouched:
        (record,) = vouch(KEY, "ann", SPACE.name, [record])
    headers = read_input_headers(Record(TOPIC, 0, 0, 0, None, value, record.headers))
    return prove(SPACE, lambda principal: FOLD.principal(facts, principal), TOPIC, headers, content, value)


def test_input_without_voucher_is_roots() -> None:
    assert sender(knowing(), vouched=False) == Sender("root", "root")


@pytest.mark.parametrize("stream", [TOPIC, "*"])
def test_guardian_is_proven(stream: str) -> None:
    assert sender(knowing(stream)) == Sender("ann", "ann")


def test_guardian_is_proven__registered_for_another_stream() -> None:
    refusal = sender(knowing("incident.reports"))
    assert isinstance(refusal, Refused)
    assert refusal.rule == "principal.stream-not-allowed"


def test_guardian_is_proven__not_registered_yet() -> None:
    refusal = sender(FOLD.initial())
    assert isinstance(refusal, Refused)
    assert (refusal.rule, refusal.unknown) == ("proof.principal-unknown", True)


def test_guardian_is_proven__revoked() -> None:
    refusal = sender(FOLD.evolve_own(knowing("*"), "scope/main", PrincipalRevoked(principal="ann")))
    assert isinstance(refusal, Refused)
    assert refusal.rule == "proof.principal-unknown"
