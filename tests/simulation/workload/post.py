"""How outsiders write: public records, with the vouchers of those who may give them."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.envelope import Input, Outgoing
from schemas.governance import RegisterPrincipal
from schemas.topics import INPUTS, OWNED
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.kernel.wire import input_record

_STREAMS = {model: stream.name for stream in INPUTS for model in stream.types}
BOTS = ("bot-1", "bot-2", "bot-3", "bot-4")
GUARDIANS = ("guard-1", "guard-2")
"""Who may ask for halts, besides root."""


def account(number: int) -> str:
    """Name an account."""
    return f"eip155:1:0x{number:040x}"


HOLDERS = tuple(account(number) for number in range(1, 5))
"""Who holds covers; the first two also have stake."""
ASSESSORS = (*HOLDERS[:2], *(account(number) for number in range(11, 17)))
"""Who may have stake."""
PROVIDERS = (HOLDERS[2], ASSESSORS[3], account(21), account(22))
"""Who provides capital; one of them also holds covers, another has stake."""


@lru_cache
def key_of(principal: str) -> Ed25519PrivateKey:
    """Return a principal's key."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(principal.encode()).digest())


def public_key(principal: str) -> str:
    """Return a principal's public key, in hex."""
    return key_of(principal).public_key().public_bytes_raw().hex()


def principals() -> list[RegisterPrincipal]:
    """List everybody who may vouch.

    Bots, guardians, a gateway for all accounts, a wallet for one, and one revoked later.
    """
    gateway = (
        "claim.filings",
        "assessor.votes",
        "assessor.actions",
        "case.actions",
        "cover.requests",
        "capital.movements",
    )
    return [
        *(_register(bot, ("incident.reports",)) for bot in BOTS),
        *(_register(guardian, ("governance.actions",)) for guardian in GUARDIANS),
        _register("gateway", gateway, "*"),
        _register("wallet", ("claim.filings",), (HOLDERS[0],)),
        _register("former", ("*",), "*"),
    ]


def _register(principal: str, streams: tuple[str, ...], accounts: tuple[str, ...] | str = ()) -> RegisterPrincipal:
    return RegisterPrincipal(
        scope="main", principal=principal, public_key=public_key(principal), streams=streams, accounts=accounts
    )


class Post:
    """Writes records; `others_sign` are principals that sign instead of the right one, which gets refused."""

    def __init__(self, space: Space, random: Random) -> None:
        self.space = space
        self.random = random
        self._count = 0

    def new_id(self) -> str:
        """Draw an id that nobody used."""
        self._count += 1
        return f"input-{self._count}"

    def unsigned(self, content: Input, *, id: str | None = None) -> Outgoing:  # noqa: A002 - the attribute's name
        """Write a record as any standard producer would, without voucher."""
        key = content.key()
        return input_record(
            _STREAMS[type(content)],
            partition_of(key, self.space.partitions),
            key,
            id=id or self.new_id(),
            source="/outside",
            wire=content.wire,
            value=content.to_bytes(),
        )

    def signed(self, records: Sequence[Outgoing], by: str) -> list[Outgoing]:
        """Add the vouchers that are needed: one for each record, or one for all of them together."""
        if by not in ("root", *GUARDIANS) and any(record.topic in OWNED for record in records):
            return list(records)
        return vouch(key_of(by), by, self.space.name, records)

    def write(self, content: Input, *, by: str = "gateway", id: str | None = None) -> Outgoing:  # noqa: A002
        """Write a record that is as it should be."""
        return self.signed([self.unsigned(content, id=id)], by)[0]
