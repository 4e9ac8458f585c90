"""Names in a scenario: the accounts and keys they stand for, and how what machines write is read back.

Keys and accounts are derived from a fixed seed, so that a scenario gives the same log every time. They are good for
nothing but scenarios.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.instants import format_duration, format_instant, parse_duration, parse_instant

SPACE = "scenario"
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
GATEWAY = "gateway"
"""The principal that vouches for the sessions of people."""
NOBODY = "nobody"
"""As whom is posted what nobody vouches for."""
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_MACHINE = re.compile(
    r"(?P<account>eip155:1:0x[0-9a-f]{40})|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<incarnation>@[0-9a-f]{16}(?=/))"
)


def digest(*parts: str) -> bytes:
    """Derive 32 bytes: the same parts, the same bytes."""
    return hashlib.sha256("\n".join((SPACE, *parts)).encode()).digest()


def incarnation(topic: str) -> str:
    """Name the life of a topic, which is drawn at random everywhere else."""
    return digest("incarnation", topic).hex()[:16]


def account(name: str) -> str:
    """Return the CAIP-10 account of a name."""
    return f"eip155:1:0x{digest('account', name)[:20].hex()}"


def key(principal: str) -> Ed25519PrivateKey:
    """Return the key a principal signs vouchers with."""
    return Ed25519PrivateKey.from_private_bytes(digest("key", principal))


def public_key(principal: str) -> str:
    """Return its public half, in hex."""
    return key(principal).public_key().public_bytes_raw().hex()


class UnknownNameError(ValueError):
    """Braces around something that stands for nothing: `str` says what is accepted."""

    def __init__(self, held: str, accepted: str) -> None:
        super().__init__(accepted)
        self.held = held


class Names:
    """Who takes part in a scenario that starts at an instant."""

    def __init__(self, start: int, people: Iterable[str]) -> None:
        self.start = start
        self.people = tuple(dict.fromkeys(people))
        self._by_account: Mapping[str, str] = {account(name): name for name in self.people}

    # --- from the file

    def fill(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Put accounts and instants where names and offsets stand in braces; raises UnknownNameError."""
        match value:
            case str():
                return _BRACES.sub(self._stands_for, value)
            case dict():
                return {self.fill(name): self.fill(held) for name, held in value.items()}
            case list() | tuple():
                return [self.fill(held) for held in value]
            case _:
                return value

    def _stands_for(self, found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        name = found[1]
        if name in self.people:
            return account(name)
        if name == "asset":
            return ASSET
        if name[:1] in ("+", "-"):
            try:
                offset = parse_duration(name[1:])
            except ValueError:
                pass
            else:
                return format_instant(self.start + (offset if name[0] == "+" else -offset))
        people = ", ".join(self.people) or "none is given"
        accepted = f"must be a name of given ({people}), asset, or an instant such as {{+3d1h}}; braces are doubled"
        raise UnknownNameError(found[0], accepted)

    # --- to the reader

    def offset(self, instant: int) -> str:
        """Spell an instant by the time since the start."""
        span = instant - self.start
        sign = "+" if span >= 0 else "-"
        seconds, milliseconds = divmod(abs(span), 1_000)
        return f"{sign}{format_duration(seconds * 1_000)}" + (f"{milliseconds}ms" if milliseconds else "")

    def plain(self, text: str) -> str:
        """Make what services wrote readable: names for accounts, offsets for instants."""

        def spell(found: re.Match[str]) -> str:
            match found.lastgroup:
                case "account":
                    return self._by_account.get(found[0], found[0])
                case "instant":
                    return self.offset(parse_instant(found[0]))
                case _:
                    return ""

        return _MACHINE.sub(spell, text)
