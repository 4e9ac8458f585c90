"""The test kit: given events, when an input, then events.

    Specification(CoverDecider(), facts=facts, key="cover/C-1").given(registered).when(filing, at=DAY).then(filed)

It runs the decider's pure functions alone. `then` compares whole events; `then_refused` the rule of a refusal.
Every `when` also checks two laws: deciding the same input again yields nothing but a refusal, and folding is total.
"""

from collections.abc import Sequence
from typing import Any, Self
from uuid import NAMESPACE_OID, uuid5

from schemas.envelope import Event, Message

from .decider import Deadline, Decider, Received, Refused


class Specification:
    """One decider, one aggregate, one history."""

    def __init__(self, decider: Decider[Any, Any], *, facts: Any = None, key: str) -> None:  # noqa: ANN401
        self.decider = decider
        self.facts = facts
        self.key = key
        self.state: Any = decider.initial(key)
        self.events: Sequence[Event] = ()
        self._inputs = 0

    def given(self, *events: Event) -> Self:
        """Fold events that happened."""
        for event in events:
            self.state = self.decider.evolve(self.state, event)
        return self

    def with_facts(self, facts: Any) -> Self:  # noqa: ANN401
        """Go on with other facts."""
        self.facts = facts
        return self

    def when(
        self,
        content: Message | Deadline,
        *,
        at: int,
        since: int | None = None,
        sender: str = "",
        principal: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        partition: int = 0,
        partitions: int = 1,
    ) -> Self:
        """Decide one input and fold what it caused; `self.events` holds that."""
        self._inputs += 1
        wire = "deadline" if isinstance(content, Deadline) else content.wire
        received = Received(
            id=id or str(uuid5(NAMESPACE_OID, f"{self.key}/{self._inputs}")),
            type=wire,
            key=self.key,
            at=at,
            since=at if since is None else since,
            sender=sender,
            principal=principal,
            position=f"specification@0000000000000000/0/{self._inputs}",
            content=content,
            partition=partition,
            partitions=partitions,
        )
        self.events = tuple(self.decider.decide(self.state, self.facts, received))
        self.given(*self.events)
        again = self.decider.decide(self.state, self.facts, received)
        assert all(isinstance(event, Refused) for event in again), f"decided twice, it caused {again}"
        return self

    def then(self, *events: Event) -> Self:
        """Demand exactly these events."""
        assert tuple(self.events) == events, f"expected {events}\n     got {tuple(self.events)}"
        return self

    def then_nothing(self) -> Self:
        """Demand no event."""
        return self.then()

    def then_types(self, *wires: str) -> Self:
        """Demand events of these types, in this order."""
        assert tuple(event.wire for event in self.events) == wires, self.events
        return self

    def then_refused(self, rule: str) -> Refused:
        """Demand a refusal by this rule, and return it."""
        assert self.events, "nothing was decided"
        refusal = self.events[0]
        assert isinstance(refusal, Refused), self.events
        assert refusal.rule == rule, refusal
        assert refusal.value, refusal
        assert refusal.accepted, refusal
        return refusal

    def deadlines(self) -> list[Deadline]:
        """List what is open, soonest first."""
        return sorted(
            self.decider.deadlines(self.state, self.facts), key=lambda deadline: (deadline.due, deadline.name)
        )

    def fire(self, *, late: int = 0) -> Self:
        """Fire the soonest deadline, `late` milliseconds late, and demand that it is gone then."""
        deadline = self.deadlines()[0]
        self.when(deadline, at=deadline.due + late)
        assert self.events, f"{deadline} caused nothing"
        assert deadline not in self.deadlines(), f"{deadline} is still open"
        return self
