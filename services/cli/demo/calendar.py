"""The story's calendar: as it is written, or hurried, so that wall clocks need not wait for days.

The story says when things happen: on day 2 at 10:05, seven hours after an input was decided. What instants those are
is said here, and nowhere else, so that one story can be told on a virtual clock and on the wall's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.instants import DAY, SECOND, format_duration, format_instant, parse_duration, parse_instant
from schemas.rulebook import Corroboration, Rulebook

_OPENS = "09:00"
"""The time of day at which the first day begins for everybody."""
_FOR_WHAT_COMES_S = 30
"""A window that ends by itself as soon as what it waits for is there costs nobody time, so it may be long."""

_MOMENT_MS = 300


def time_of(day: int, clock: str) -> int:
    """Return how long after midnight of day 1 it is day 3, 14:00; raises ValueError when that is no time of day."""
    return (day - 1) * DAY + parse_instant(f"1970-01-01T{clock}:00Z")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days as they are written: a day takes a day. `opening` is the instant of day 1, 09:00."""

    opening: int

    @property
    def day(self) -> int:
        """How long a day takes, in milliseconds."""
        return DAY

    def span(self, duration: int) -> int:
        """Return how long something takes of which the story says that it takes `duration` milliseconds."""
        return duration * self.day // DAY

    def whole(self, duration: int) -> int:
        """Return such a span as rules have it: in whole seconds, rounded up."""
        return -(-self.span(duration) // SECOND) * SECOND

    def instant_of(self, day: int, clock: str) -> int:
        """Return the instant of `day 3  14:00`."""
        return self.opening + self.span(time_of(day, clock) - time_of(1, _OPENS))

    def day_of(self, instant: int) -> int:
        """Return the day, counted from 1, that an instant belongs to."""
        return (instant - self.instant_of(1, "00:00")) // self.day + 1

    def rules(self, rulebook: Rulebook) -> Rulebook:
        """Return the rulebook whose windows fit."""
        return rulebook

    # --- for people

    def heading(self, instant: int) -> str | None:
        """Name the day of an instant; None where days make no headings."""
        date = datetime.fromtimestamp(instant / 1000, UTC)
        return f"day {self.day_of(instant)}  {date:%A} {date.day} {date:%B %Y}"

    def clock_of(self, instant: int) -> str:
        """Spell the time of day, to the minute."""
        return format_instant(instant)[11:16]

    def is_one_moment(self, one: int, other: int) -> bool:
        """Tell whether two instants are so close that people see one moment."""
        return (self.day_of(one), self.clock_of(one)) == (self.day_of(other), self.clock_of(other))

    def moment(self, instant: int) -> str:
        """Spell an instant as the story counts days; before its first day, by the calendar."""
        if instant < self.instant_of(1, "00:00"):
            return format_instant(instant)[:10]
        return f"day {self.day_of(instant)} {self.clock_of(instant)}"


@dataclass(frozen=True, slots=True)
class Hurried(Calendar):
    """Days of a few seconds, counted in whole ones, as are all windows of a rulebook."""

    day_s: int

    @property
    def day(self) -> int:
        """How long a day takes, in milliseconds."""
        return self.day_s * SECOND

    def rules(self, rulebook: Rulebook) -> Rulebook:
        """Shorten every duration of a rulebook, to whole seconds."""
        hurried = Rulebook.model_validate_json(orjson.dumps(self._hurried(orjson.loads(rulebook.to_bytes()))))
        comes = _FOR_WHAT_COMES_S * SECOND
        procedure = tuple(
            stage.model_copy(update={"window": max(stage.window, comes)}) if isinstance(stage, Corroboration) else stage
            for stage in hurried.incident.procedure
        )
        payout = hurried.claim.payout
        payout = payout.model_copy(update={"receipt_within": max(payout.receipt_within, comes)})
        halt = hurried.halt and hurried.halt.model_copy(update={"notice": 0, "confirm_within": comes})
        return hurried.model_copy(
            update={
                "halt": halt,
                "incident": hurried.incident.model_copy(update={"procedure": procedure}),
                "claim": hurried.claim.model_copy(update={"payout": payout}),
            }
        )

    def _hurried(self, spelled: Any) -> Any:  # noqa: ANN401 - JSON
        match spelled:
            case dict():
                return {name: self._hurried(value) for name, value in spelled.items()}
            case list():
                return [self._hurried(value) for value in spelled]
            case str():
                try:
                    duration = parse_duration(spelled)
                except ValueError:
                    return spelled
                return format_duration(-(-duration * self.day_s // DAY) * SECOND)
            case _:
                return spelled

    def heading(self, instant: int) -> str | None:
        """Name no day: whoever is late by the wall's clock would be days late."""
        return None

    def is_one_moment(self, one: int, other: int) -> bool:
        """Tell whether two instants are so close that people see one moment."""
        return abs(one - other) < _MOMENT_MS

    def clock_of(self, instant: int) -> str:
        """Spell how many seconds have passed since the beginning."""
        return f"{(instant - self.opening) / SECOND:.2f}"

    def moment(self, instant: int) -> str:
        """Spell an instant by the seconds since the beginning."""
        return f"second {self.clock_of(instant)}"
