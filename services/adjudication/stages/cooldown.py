"""Cooldown: a pause before a ruling binds (24 h in nexus-v2, sherlock and neptune; anchors.md section 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.adjudication import CooldownClosed, CooldownOpened
from schemas.envelope import Event, Message
from schemas.rulebook import Cooldown
from services.adjudication.facts import Facts
from services.adjudication.stages.stage import Ending, Opening, closing
from services.kernel.decider import Deadline, Received


@dataclass(frozen=True, slots=True)
class Cooling:
    """An outcome that binds when its opening said."""

    opened: CooldownOpened
    stage: Literal["cooldown"] = "cooldown"

    @property
    def position(self) -> int:
        """Say which stage of the procedure this is."""
        return self.opened.stage


class CooldownStage:
    """Passes the outcome on when its time is over."""

    name = "cooldown"
    opener: type[Event] = CooldownOpened
    closer: type[Event] = CooldownClosed
    inputs: tuple[type[Message], ...] = ()
    decides = False

    def open(self, rules: Cooldown, opening: Opening, facts: Facts) -> Sequence[Event]:
        """Hold the outcome for a while."""
        assert opening.outcome is not None, "a cooldown follows a stage that decided"
        closes_at = opening.since + rules.length
        return [CooldownOpened(stage=opening.position, outcome=opening.outcome, closes_at=closes_at)]

    def opened(self, event: Event) -> Cooling:
        """Return the outcome that is held."""
        assert isinstance(event, CooldownOpened)
        return Cooling(event)

    def decide(self, rules: Cooldown, state: Cooling, facts: Facts, received: Received) -> Sequence[Event]:
        """Close."""
        return [CooldownClosed(stage=state.position)]

    def evolve(self, state: Cooling, event: Event) -> Cooling:
        """Nothing happens while it lasts."""
        return state

    def ending(self, state: Cooling, event: Event) -> Ending:
        """End with the outcome that was held."""
        return Ending(state.opened.outcome)

    def closes_at(self, state: Cooling) -> int:
        """Say when its time is over."""
        return state.opened.closes_at

    def moved(self, state: Cooling, after: int, by: int) -> Cooling:
        """Let it last longer, unless it ended before."""
        if state.opened.closes_at <= after:
            return state
        return replace(state, opened=state.opened.model_copy(update={"closes_at": state.opened.closes_at + by}))

    def deadlines(self, state: Cooling) -> Iterable[Deadline]:
        """List the instant at which the outcome binds."""
        return (closing(state.position, state.opened.closes_at),)
