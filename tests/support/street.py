"""A street of lamps: a service whose broadcasts concern many aggregates, and whose facts know its own partition.

`lamp.install.v1` puts up a lamp; `street.darkens.v1`, a broadcast, concerns every lamp of the partition and lights
those that are not lit; `street.count.v1` asks the meter of every partition how many lamps there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.envelope import Event, Input, InputTopic, Message, message
from services.kernel.decider import (
    BROADCAST,
    Deadline,
    Decided,
    DecisionService,
    Principal,
    Received,
    Refused,
    Send,
    each,
)
from services.kernel.persistent import PersistentMap


@message("lamp.install.v1")
class InstallLamp(Input):
    lamp: str

    def key(self) -> str:
        return f"lamp/{self.lamp}"


@message("street.ask.v1")
class AskStreet(Input):
    wish: str
    night: int = 0

    def key(self) -> str:
        return "hall/main"


@message("lamp.installed.v1")
class LampInstalled(Event):
    lamp: str


@message("street.darkens.v1")
class StreetDarkens(Event):
    night: int


@message("street.count.v1")
class CountStreet(Event):
    night: int


@message("lamp.lit.v1")
class LampLit(Event):
    night: int


@message("meter.read.v1")
class MeterRead(Event):
    night: int
    lamps: int
    partition: int
    partitions: int


@dataclass(frozen=True, slots=True)
class StreetFacts:
    lamps: PersistentMap[str, None] = PersistentMap()  # noqa: RUF009 - immutable
    night: int = 0


class StreetFactsFold:
    state = StreetFacts
    types: tuple[type[Message], ...] = (StreetDarkens,)
    own: tuple[type[Event], ...] = (LampInstalled,)

    def initial(self) -> StreetFacts:
        return StreetFacts()

    def evolve(self, facts: StreetFacts, fact: Message) -> StreetFacts:
        return replace(facts, night=fact.night) if isinstance(fact, StreetDarkens) else facts

    def evolve_own(self, facts: StreetFacts, key: str, event: Event) -> StreetFacts:
        return replace(facts, lamps=facts.lamps.set(key, None))

    def principal(self, facts: StreetFacts, principal: str) -> Principal | None:
        return None


@dataclass(frozen=True, slots=True)
class Lamp:
    installed: bool = False
    night: int = 0


class LampDecider:
    state = Lamp

    def initial(self, key: str) -> Lamp:
        return Lamp()

    def evolve(self, state: Lamp, event: Event) -> Lamp:
        if isinstance(event, LampLit):
            return replace(state, night=event.night)
        return replace(state, installed=True)

    def decide(self, state: Lamp, facts: StreetFacts, received: Received) -> Sequence[Event]:
        content = received.content
        if isinstance(content, StreetDarkens):
            assert facts.night == content.night, "a fact is noted before those it concerns decide it"
            return [LampLit(night=content.night)] if state.night < content.night else []
        assert isinstance(content, InstallLamp)
        if state.installed:
            return [Refused(rule="lamp.installed", value=content.lamp, accepted="another lamp")]
        return [LampInstalled(lamp=content.lamp)]

    def deadlines(self, state: Lamp, facts: StreetFacts) -> Iterable[Deadline]:
        return ()


class MeterDecider:
    state = Lamp

    def initial(self, key: str) -> Lamp:
        return Lamp()

    def evolve(self, state: Lamp, event: Event) -> Lamp:
        return replace(state, night=event.night) if isinstance(event, MeterRead) else state

    def decide(self, state: Lamp, facts: StreetFacts, received: Received) -> Sequence[Event]:
        content = received.content
        if not isinstance(content, CountStreet) or state.night >= content.night:
            return []
        return [
            MeterRead(
                night=content.night,
                lamps=len(facts.lamps),
                partition=received.partition,
                partitions=received.partitions,
            )
        ]

    def deadlines(self, state: Lamp, facts: StreetFacts) -> Iterable[Deadline]:
        return ()


class HallDecider:
    state = Lamp

    def initial(self, key: str) -> Lamp:
        return Lamp()

    def evolve(self, state: Lamp, event: Event) -> Lamp:
        return replace(state, night=event.night) if isinstance(event, StreetDarkens) else state

    def decide(self, state: Lamp, facts: StreetFacts, received: Received) -> Sequence[Event]:
        content = received.content
        assert isinstance(content, AskStreet)
        if content.wish == "count":
            return [CountStreet(night=content.night)]
        if content.night <= state.night:
            return [Refused(rule="night.over", value=str(content.night), accepted="a later night")]
        return [StreetDarkens(night=content.night)]

    def deadlines(self, state: Lamp, facts: StreetFacts) -> Iterable[Deadline]:
        return ()


def route(decided: Decided) -> Sequence[Send]:
    if isinstance(decided.event, StreetDarkens):
        return [Send("street", BROADCAST, decided.event)]
    if isinstance(decided.event, CountStreet):
        return [Send("street", each("meter"), decided.event)]
    return ()


def audience(facts: StreetFacts, fact: Message) -> Iterable[str]:
    return facts.lamps.sorted_keys() if isinstance(fact, StreetDarkens) else ()


LAMPS = InputTopic("lamps", (InstallLamp, AskStreet))
STREET: DecisionService[Any] = DecisionService(
    "street",
    (LAMPS,),
    {"lamp": LampDecider(), "meter": MeterDecider(), "hall": HallDecider()},
    StreetFactsFold(),
    route,
    audience,
)
OWNED = {"lamps": "mayor"}
