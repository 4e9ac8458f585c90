"""The form of a story: who sends which public inputs, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from schemas.envelope import Input
from schemas.instants import format_duration, parse_duration
from services.cli.demo.calendar import time_of
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
    """At a time of the story's calendar."""
    return lambda seen: seen.calendar.instant_of(day, clock)


def after(input_id: str, span: str = "0s") -> When:
    """A span after an input was decided."""
    return later(lambda seen: None if (outcome := seen.outcome(input_id)) is None else outcome.at, span)


def after_vote(filing: str, span: str) -> When:
    """A span after the vote on a claim was closed."""
    return later(lambda seen: seen.vote_closed_at(filing), span)


def counted_from(input_id: str, day: int, clock: str) -> Callable[[int, str], When]:
    """At times of the calendar for who counts from an input, which is decided at this time when nobody is late."""

    def at_time(on: int, at_clock: str) -> When:
        return after(input_id, format_duration(time_of(on, at_clock) - time_of(day, clock)))

    return at_time


def later(when: When, span: str) -> When:
    """A span after another instant."""
    wait = parse_duration(span)

    def then(seen: Seen) -> int | None:
        instant = when(seen)
        return None if instant is None else instant + seen.calendar.span(wait)

    return then


def once(condition: Callable[[Seen], bool], when: When) -> When:
    """At an instant that nobody knows before something has happened."""
    return lambda seen: when(seen) if condition(seen) else None


def latest(*whens: When) -> When:
    """When all of several instants are known, and have come."""

    def when(seen: Seen) -> int | None:
        instants = [instant for one in whens if (instant := one(seen)) is not None]
        return max(instants) if len(instants) == len(whens) else None

    return when


def not_before(input_id: str) -> When:
    """At the very instant from which a refusal says that the input would be accepted."""

    def when(seen: Seen) -> int | None:
        outcome = seen.outcome(input_id)
        return None if outcome is None or outcome.refusal is None else outcome.refusal.not_before

    return when
