"""Corroboration: k distinct producers agree within a window (house, section 6 of anchors.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from schemas.adjudication import AddReport, CorroborationClosed, CorroborationOpened, ReportCounted
from schemas.envelope import Event, Message
from schemas.rulebook import Corroboration, Outcome
from services.adjudication.facts import Facts
from services.adjudication.stages.stage import Ending, Opening, closing
from services.kernel.decider import Deadline, Received
from services.kernel.persistent import PersistentMap


@dataclass(frozen=True, slots=True)
class Corroborating:
    """Producers that counted so far, with their weights."""

    opened: CorroborationOpened
    weight_sum: int = 0
    weights: PersistentMap[str, int] = field(default_factory=PersistentMap)
    stage: Literal["corroboration"] = "corroboration"

    @property
    def position(self) -> int:
        """Say which stage of the procedure this is."""
        return self.opened.stage


class CorroborationStage:
    """Accepts in the decision of the report that reaches the required weight; otherwise ends with `unmet`."""

    name = "corroboration"
    opener: type[Event] = CorroborationOpened
    closer: type[Event] = CorroborationClosed
    inputs: tuple[type[Message], ...] = (AddReport,)
    decides = True

    def open(self, rules: Corroboration, opening: Opening, facts: Facts) -> Sequence[Event]:
        """Open the window."""
        return [
            CorroborationOpened(
                stage=opening.position,
                required_weight=rules.required_weight,
                closes_at=opening.since + rules.window,
            )
        ]

    def opened(self, event: Event) -> Corroborating:
        """Return the state before the first report."""
        assert isinstance(event, CorroborationOpened)
        return Corroborating(event)

    def decide(
        self,
        rules: Corroboration,
        state: Corroborating,
        facts: Facts,
        received: Received,
    ) -> Sequence[Event]:
        """Count a report, or close unmet."""
        if not isinstance(received.content, AddReport):
            return [_closed(state, state.weight_sum, rules.unmet)]
        report = received.content
        if report.producer in state.weights:
            return []
        weight = rules.weights.get(report.producer, rules.default_weight)
        weight_sum = state.weight_sum + weight
        counted = ReportCounted(
            producer=report.producer, reference=report.reference, weight=weight, weight_sum=weight_sum
        )
        if weight_sum < state.opened.required_weight:
            return [counted]
        return [counted, _closed(state, weight_sum, "accept")]

    def evolve(self, state: Corroborating, event: Event) -> Corroborating:
        """Fold a counted report."""
        if not isinstance(event, ReportCounted):
            return state
        weights = state.weights.set(event.producer, event.weight)
        return replace(state, weights=weights, weight_sum=event.weight_sum)

    def ending(self, state: Corroborating, event: Event) -> Ending:
        """End with accept or `unmet`; a sum that fell short is a lapse."""
        assert isinstance(event, CorroborationClosed)
        return Ending(event.outcome, lapsed=event.weight_sum < event.required_weight)

    def closes_at(self, state: Corroborating) -> int:
        """Say when its time is over."""
        return state.opened.closes_at

    def moved(self, state: Corroborating, after: int, by: int) -> Corroborating:
        """Let it last longer, unless it ended before."""
        if state.opened.closes_at <= after:
            return state
        return replace(state, opened=state.opened.model_copy(update={"closes_at": state.opened.closes_at + by}))

    def deadlines(self, state: Corroborating) -> Iterable[Deadline]:
        """List the end of the window."""
        return (closing(state.position, state.opened.closes_at),)


def _closed(state: Corroborating, weight_sum: int, outcome: Outcome) -> CorroborationClosed:
    return CorroborationClosed(
        stage=state.position,
        weight_sum=weight_sum,
        required_weight=state.opened.required_weight,
        outcome=outcome,
    )
