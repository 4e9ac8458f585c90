"""What a law is: something that looks at every log record as it is committed, and says when it must not be."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from schemas.envelope import Message
from tests.simulation.entries import Entry


class LawBroken(AssertionError):
    """A law of product.md section 13, or one of the kernel's that they rest on, does not hold."""


Handlers = Mapping[type[Message], Callable[[Entry, Any], None]]
"""What a law wants to see, by the type of a record's content."""


def broken(entry: Entry, what: str) -> NoReturn:
    """Say that a record must not be as it is."""
    raise LawBroken(f"{what}\n  {entry.place} {entry.key} {entry.content.wire}: {entry.content!r}")


def demand(entry: Entry, what: str, held: object, expected: object) -> None:
    """Demand that something is exactly what it must be."""
    if held != expected:
        broken(entry, f"{what} is {held!r}, must be {expected!r}")
