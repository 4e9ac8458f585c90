"""One check of `adjudex doctor`: what it found, and what to do."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.instants import SECOND, format_duration

Status = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """What one check found, and unless all is well, what to do."""

    name: str
    status: Status
    what: str
    todo: str = ""
    command: str | None = None


def span(milliseconds: int) -> str:
    """Spell a span in whole seconds."""
    return format_duration(milliseconds - milliseconds % SECOND)


def some(names: Sequence[str], most: int = 3) -> str:
    """Name a few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
