"""Who sent an input: vouchers of registered principals, and owned topics.

A voucher is a principal's Ed25519 signature over a domain tag, space, topic, id, type, source and sha256(value), or
over the Merkle root (RFC 9162) of a produced batch of those; then the header carries the leaf's path. It is checked
against the principal's key as the deciding log knows it, so that the check can be repeated from the log.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.envelope import Input, Outgoing

from . import merkle
from .decider import Principal
from .records import Refused
from .space import Space
from .wire import InputHeaders

_TAG = b"adjudex voucher v1"
_PATH_MAX = 32


class Sender(NamedTuple):
    """The proven sender (account or principal) and the principal that vouched."""

    id: str
    principal: str


class _Voucher(NamedTuple):
    principal: str
    signature: bytes
    leaf: int
    size: int
    path: tuple[bytes, ...]


def _statement(space: str, topic: str, id_: str, wire: str, source: str, value: bytes) -> bytes:
    parts = [_TAG, space.encode(), topic.encode(), id_.encode(), wire.encode(), source.encode()]
    parts.append(hashlib.sha256(value).digest())
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _parse(header: bytes) -> _Voucher | None:
    try:
        fields = orjson.loads(header)
        voucher = _Voucher(
            fields["principal"],
            bytes.fromhex(fields["signature"]),
            fields.get("index", 0),
            fields.get("size", 1),
            tuple(map(bytes.fromhex, fields.get("path", ()))),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(voucher.principal, str) or not type(voucher.leaf) is type(voucher.size) is int:
        return None
    return voucher if len(voucher.path) <= _PATH_MAX else None


@lru_cache(maxsize=16_384)
def _signed(public_key: str, signature: bytes, statement: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _refused(rule: str, value: str, accepted: str, *, unknown: bool = False) -> Refused:
    return Refused(rule=rule, value=value, accepted=accepted, unknown=unknown)


def prove(  # noqa: PLR0911 - one return per rule
    space: Space,
    lookup: Callable[[str], Principal | None],
    topic: str,
    headers: InputHeaders,
    content: Input,
    value: bytes,
) -> Sender | Refused:
    """Prove the sender of a public input, or say which rule it breaks and what would be accepted."""
    owner = space.owned.get(topic)
    if headers.proof is None:
        if owner is not None:
            return Sender(owner, owner)
        return _refused(
            "proof.missing", "no ce_proof header", f"a voucher of a principal registered for {topic} in header ce_proof"
        )
    voucher = _parse(headers.proof)
    if voucher is None:
        return _refused(
            "proof.malformed",
            headers.proof[:200].decode(errors="replace") or "an empty ce_proof header",
            '{"principal": id, "signature": 64 bytes in hex}, in a batch with "index", "size" and "path"',
        )
    principal = space.principals.get(voucher.principal) or lookup(voucher.principal)
    if principal is None:
        return _refused(
            "proof.principal-unknown", voucher.principal, "a principal that governance has registered", unknown=True
        )
    if not _vouched(principal, voucher, _statement(space.name, topic, headers.id, headers.type, headers.source, value)):
        return _refused(
            "proof.forged",
            f"a signature that is not {principal.id}'s over this input",
            f"the signature of key {principal.public_key} over space {space.name}, topic, id, type, source and value",
        )
    if topic not in principal.streams and "*" not in principal.streams:
        return _refused(
            "principal.stream-not-allowed",
            f"{principal.id} on {topic}",
            f"{principal.id} on {', '.join(sorted(principal.streams))}",
        )
    account = content.account()
    if account is None:
        return Sender(principal.id, principal.id)
    if account not in principal.accounts and "*" not in principal.accounts:
        return _refused(
            "principal.account-not-allowed",
            f"{principal.id} for {account}",
            f"{principal.id} for {', '.join(sorted(principal.accounts)) or 'no account: it may act for itself only'}",
        )
    return Sender(account, principal.id)


def _vouched(principal: Principal, voucher: _Voucher, statement: bytes) -> bool:
    if voucher.size == 1 and not voucher.path:
        return _signed(principal.public_key, voucher.signature, statement)
    top = merkle.root_from_path(merkle.leaf_hash(statement), voucher.leaf, voucher.size, voucher.path)
    return top is not None and _signed(principal.public_key, voucher.signature, _TAG + b" batch" + top)


def vouch(key: Ed25519PrivateKey, principal: str, space: str, inputs: Sequence[Outgoing]) -> list[Outgoing]:
    """Add vouchers to inputs: one signature, over the one input or over the root of all of them."""
    statements = []
    for record in inputs:
        headers = {name: content.decode() for name, content in record.headers}
        statements.append(
            _statement(
                space, record.topic, headers["ce_id"], headers["ce_type"], headers["ce_source"], record.value or b""
            )
        )
    if len(statements) == 1:
        proofs: list[dict[str, Any]] = [{"principal": principal, "signature": key.sign(statements[0]).hex()}]
    else:
        leaves = [merkle.leaf_hash(statement) for statement in statements]
        signature = key.sign(_TAG + b" batch" + merkle.root(leaves)).hex()
        proofs = [
            {
                "principal": principal,
                "signature": signature,
                "index": index,
                "size": len(leaves),
                "path": [node.hex() for node in path],
            }
            for index, path in enumerate(merkle.paths(leaves))
        ]
    return [
        record._replace(headers=(*record.headers, ("ce_proof", orjson.dumps(proof))))
        for record, proof in zip(inputs, proofs, strict=True)
    ]
