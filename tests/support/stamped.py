"""A service with a past: its input and its event had other shapes before, of which golden bytes are left.

`coin.stamped` was `{coin, value}` in whole units, then `{coin, value_minor}`, and has said since who stamped it.
`tests/golden/stamped.jsonl` holds a log that the first two releases wrote.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.envelope import Event, Input, InputTopic, Message, message, upcast
from services.kernel.decider import Deadline, DecisionService, Principal, Received, Refused
from services.kernel.persistent import PersistentMap


@message("coin.stamp.v2")
class StampCoin(Input):
    press: str
    value_minor: int

    def key(self) -> str:
        return f"press/{self.press}"


@upcast("coin.stamp.v1", "coin.stamp.v2")
def _stamp_v1(content: dict[str, Any]) -> dict[str, Any]:
    return {"press": content["press"], "value_minor": content["value"] * 100}


@message("coin.stamped.v3")
class CoinStamped(Event):
    coin: str
    value_minor: int
    stamped_by: str


@upcast("coin.stamped.v1", "coin.stamped.v2")
def _stamped_v1(content: dict[str, Any]) -> dict[str, Any]:
    return {"coin": content["coin"], "value_minor": content["value"] * 100}


@upcast("coin.stamped.v2", "coin.stamped.v3")
def _stamped_v2(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "stamped_by": "unknown"}


@dataclass(frozen=True, slots=True)
class NoFacts:
    pass


class NoFactsFold:
    state = NoFacts
    types: tuple[type[Message], ...] = ()

    def initial(self) -> NoFacts:
        return NoFacts()

    def evolve(self, facts: NoFacts, fact: Message) -> NoFacts:
        return facts

    def principal(self, facts: NoFacts, principal: str) -> Principal | None:
        return None


@dataclass(frozen=True, slots=True)
class Press:
    key: str
    coins: PersistentMap[str, tuple[int, str]] = PersistentMap()  # noqa: RUF009 - immutable


class PressDecider:
    state = Press

    def initial(self, key: str) -> Press:
        return Press(key)

    def evolve(self, state: Press, event: Event) -> Press:
        if isinstance(event, CoinStamped):
            return replace(state, coins=state.coins.set(event.coin, (event.value_minor, event.stamped_by)))
        return state

    def decide(self, state: Press, facts: NoFacts, received: Received) -> Sequence[Event]:
        content = received.content
        assert isinstance(content, StampCoin)
        if received.id in state.coins:
            return [Refused(rule="coin.known", value=received.id, accepted="a coin that was not stamped yet")]
        return [CoinStamped(coin=received.id, value_minor=content.value_minor, stamped_by=received.sender)]

    def deadlines(self, state: Press, facts: NoFacts) -> Iterable[Deadline]:
        return ()


STAMPS = InputTopic("stamps", (StampCoin,))
STAMP: DecisionService[Any] = DecisionService("stamp", (STAMPS,), {"press": PressDecider()}, NoFactsFold())
