"""Who takes part in the demonstration, and how people read what machines write.

Every key and account is derived from a fixed seed, so that each run is the same to the byte. Whoever reads this file
has the keys: they are good for nothing but the demonstration's own space.
"""

import hashlib
import re
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.instants import parse_instant
from services.cli.demo.calendar import Calendar

SPACE = "demonstration"
START = parse_instant("2026-03-02T09:00:00Z")
POOL = "harbor-pool"
PRODUCT = "harbor-vault"
ASSET = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
SYMBOL = "USDC"
DECIMALS = 6
_ONE: int = 10**DECIMALS
"""Base units of one USDC."""
BOTS = ("chain-watch", "pool-sentry", "night-owl")
STRANGER = "free-lunch"
"""A bot that governance never registered."""
GUARDIANS = ("ada", "ben")
"""Two people who may halt a product together."""
GATEWAY = "gateway"
"""The principal that vouches for the sessions of people."""


def usdc(whole: int) -> int:
    """Return whole USDC in base units."""
    return whole * _ONE


STAKES_MINOR: Mapping[str, int] = {
    "otto": usdc(600_000),
    "nina": usdc(150_000),
    "pavel": usdc(120_000),
    "rosa": usdc(55_000),
    "tom": usdc(45_000),
    "vera": usdc(30_000),
    "alice": usdc(80_000),
}
"""Assessors and their stakes in base units. One has more than all others, one will be a claimant as well."""
COVERS_MINOR: Mapping[str, int] = {"alice": usdc(50_000), "carol": usdc(30_000), "erin": usdc(40_000)}
"""Who buys cover on the first day, and what they are covered for, in base units."""
CAPITAL_MINOR: Mapping[str, int] = {"tessa": usdc(30_000), "sven": usdc(20_000)}
"""Who provides capital on the first day, in base units."""
PEOPLE = (*STAKES_MINOR, "carol", "erin", "mallory", "dora", *CAPITAL_MINOR, "greta")


def digest(*parts: str) -> bytes:
    """Derive 32 bytes of the demonstration: the same parts, the same bytes."""
    return hashlib.sha256("\n".join((SPACE, *parts)).encode()).digest()


def incarnation(topic: str) -> str:
    """Name the life of a topic, which is drawn at random everywhere else."""
    return digest("incarnation", topic).hex()[:16]


def account(person: str) -> str:
    """Return a person's CAIP-10 account."""
    return f"eip155:1:0x{digest('account', person)[:20].hex()}"


def key(principal: str) -> Ed25519PrivateKey:
    """Return the key a principal signs vouchers with."""
    return Ed25519PrivateKey.from_private_bytes(digest("key", principal))


NAMES: Mapping[str, str] = {account(person): person for person in PEOPLE}
"""The address book: people by account."""


def name_of(identifier: str) -> str:
    """Return the name of an account, or whatever else it is as it stands."""
    return NAMES.get(identifier, identifier)


def units(amount_minor: int) -> str:
    """Spell base units in whole ones: `1,500.25`."""
    whole, rest = divmod(amount_minor, _ONE)
    fraction = f".{rest:0{DECIMALS}d}".rstrip("0") if rest else ""
    return f"{whole:,}{fraction}"


def amount(amount_minor: int) -> str:
    """Spell an amount: `1,500.25 USDC`."""
    return f"{units(amount_minor)} {SYMBOL}"


def both(amount_minor: int) -> str:
    """Spell an amount with its base units: `1,500.25 USDC (1500250000)`."""
    return f"{amount(amount_minor)} ({amount_minor})"


_MACHINE = re.compile(
    r"(?P<account>eip155:1:0x[0-9a-f]{40})"
    r"|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<incarnation>@[0-9a-f]{16}(?=/))"
    r"|(?P<transaction>0x[0-9a-f]{64})"
    r"|\b(?P<minor>\d{8,78})\b"
)
"""What machines need and readers do not; no number of eight digits in this story is anything but an amount."""


def plain(text: str, calendar: Calendar) -> str:
    """Make what services wrote readable: names for accounts, days for instants, USDC beside base units."""

    def spell(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "account":
                return name_of(found[0])
            case "instant":
                return calendar.moment(parse_instant(found[0]))
            case "minor":
                return both(int(found[0]))
            case "transaction":
                return f"{found[0][:10]}..."
            case _:
                return ""

    return _MACHINE.sub(spell, text)
