"""The form of a story: who sends which public inputs, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from schemas.envelope import Input
from schemas.instants import parse_duration
from services.cli.demo.cast import instant_of
from services.cli.demo.seen import Seen

When = Callable[[Seen], int | None]
"""The instant of a step, or None while nobody can know it yet."""


class Unreadable(NamedTuple):
    """Content that is not what its type says, with the key its sender gives it."""

    key: str
    wire: str
    value: bytes


class Post(NamedTuple):
    """One public input: its id and stream, the principal that vouches, and the content, once it can be known.

    `principal` is None on streams that only one known principal may write.
    """

    id: str
    stream: str
    principal: str | None
    content: Callable[[Seen], Input | Unreadable]


def known(content: Input | Unreadable) -> Callable[[Seen], Input | Unreadable]:
    """Give content that is known from the beginning the form of content that is not."""
    return lambda _: content


@dataclass(frozen=True, slots=True)
class Step:
    """Something somebody does; `aside` tells the reader what to look for."""

    when: When
    who: str
    posts: tuple[Post, ...]
    aside: str = ""


def at(day: int, clock: str) -> When:
    """At a time of the demonstration's calendar."""
    instant = instant_of(day, clock)
    return lambda _: instant


def after(input_id: str, span: str) -> When:
    """A span after an input was decided."""
    wait = parse_duration(span)

    def when(seen: Seen) -> int | None:
        outcome = seen.outcome(input_id)
        return None if outcome is None else outcome.at + wait

    return when


def not_before(input_id: str) -> When:
    """At the very instant from which a refusal says that the input would be accepted."""

    def when(seen: Seen) -> int | None:
        outcome = seen.outcome(input_id)
        return None if outcome is None or outcome.refusal is None else outcome.refusal.not_before

    return when
