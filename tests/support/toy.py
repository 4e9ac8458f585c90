"""Two small services that use all of the kernel: tills that count coins, and a bank that hears of them.

`till` takes public `coin.insert.v1` (needs a proof unless its stream is owned), opens a closing deadline with the
first coin, and sends each total to the `bank`; the bank broadcasts `rate.set.v1` to the tills and, where asked to,
tells one till of the new rate, which the till can then know already.
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
)
from services.kernel.persistent import PersistentMap
from services.kernel.principals import PRINCIPAL_FACTS, Principals, fold_principals

WINDOW = 60_000


@message("coin.insert.v1")
class InsertCoin(Input):
    till: str
    value_minor: int
    note: str = ""
    payer: str | None = None

    def key(self) -> str:
        return f"till/{self.till}"

    def account(self) -> str | None:
        return self.payer


@message("coin.explode.v1")
class Explode(Input):
    till: str

    def key(self) -> str:
        return f"till/{self.till}"


@message("rate.change.v1")
class ChangeRate(Input):
    rate: int
    tell: str | None = None

    def key(self) -> str:
        return "vault/main"


@message("coin.inserted.v1")
class CoinInserted(Event):
    coin: str
    value_minor: int
    total_minor: int
    rate: int
    closes_at: int


@message("till.closed.v1")
class TillClosed(Event):
    total_minor: int
    closed_at: int


@message("till.total.v1")
class TillTotal(Message):
    till: str
    total_minor: int


@message("rate.set.v1")
class RateSet(Event):
    rate: int


@message("rate.told.v1")
class RateTold(Event):
    till: str
    rate: int


@message("rate.heard.v1")
class RateHeard(Event):
    rate: int
    known_rate: int


@message("total.noted.v1")
class TotalNoted(Event):
    till: str
    total_minor: int


@dataclass(frozen=True, slots=True)
class TillFacts:
    rate: int = 1
    principals: Principals = PersistentMap()  # noqa: RUF009 - immutable


class TillFactsFold:
    state = TillFacts
    types: tuple[type[Message], ...] = (RateSet, *PRINCIPAL_FACTS)

    def initial(self) -> TillFacts:
        return TillFacts()

    def evolve(self, facts: TillFacts, fact: Message) -> TillFacts:
        if isinstance(fact, RateSet):
            return replace(facts, rate=fact.rate)
        return replace(facts, principals=fold_principals(facts.principals, fact))

    def principal(self, facts: TillFacts, principal: str) -> Principal | None:
        return facts.principals.get(principal)


@dataclass(frozen=True, slots=True)
class Till:
    key: str
    total_minor: int = 0
    coins: int = 0
    closes_at: int | None = None
    closed: bool = False
    heard_rate: int | None = None
    seen: PersistentMap[str, int] = PersistentMap()  # noqa: RUF009 - immutable


class TillDecider:
    state = Till

    def initial(self, key: str) -> Till:
        return Till(key)

    def evolve(self, state: Till, event: Event) -> Till:
        if isinstance(event, CoinInserted):
            seen = state.seen.set(event.coin, event.value_minor)
            return replace(
                state, total_minor=event.total_minor, coins=state.coins + 1, closes_at=event.closes_at, seen=seen
            )
        if isinstance(event, TillClosed):
            return replace(state, closed=True, closes_at=None)
        if isinstance(event, RateHeard):
            return replace(state, heard_rate=event.rate)
        return state

    def decide(self, state: Till, facts: TillFacts, received: Received) -> Sequence[Event]:  # noqa: PLR0911
        content = received.content
        if isinstance(content, Deadline):
            return [] if state.closed else [TillClosed(total_minor=state.total_minor, closed_at=received.at)]
        if isinstance(content, Explode):
            if state.coins == 0:
                return [Refused(rule="till.unknown", value=state.key, accepted="a till with coins", unknown=True)]
            raise RuntimeError("the till explodes")
        if isinstance(content, RateTold):
            if state.heard_rate == content.rate:
                return []
            return [RateHeard(rate=content.rate, known_rate=facts.rate)]
        if not isinstance(content, InsertCoin):
            return []
        if state.closed:
            return [Refused(rule="till.closed", value=state.key, accepted="a coin before the till closes")]
        if received.id in state.seen:
            return [Refused(rule="coin.known", value=received.id, accepted="a coin that is not in the till yet")]
        if content.value_minor <= 0:
            return [Refused(rule="coin.worthless", value=str(content.value_minor), accepted="a value above 0")]
        total = state.total_minor + content.value_minor * facts.rate
        closes_at = received.since + WINDOW if state.closes_at is None else state.closes_at
        return [
            CoinInserted(
                coin=received.id,
                value_minor=content.value_minor,
                total_minor=total,
                rate=facts.rate,
                closes_at=closes_at,
            )
        ]

    def deadlines(self, state: Till, facts: TillFacts) -> Iterable[Deadline]:
        return () if state.closes_at is None else (Deadline("close", state.closes_at),)


@dataclass(frozen=True, slots=True)
class BankFacts:
    principals: Principals = PersistentMap()  # noqa: RUF009 - immutable


class BankFactsFold:
    state = BankFacts
    types: tuple[type[Message], ...] = ()

    def initial(self) -> BankFacts:
        return BankFacts()

    def evolve(self, facts: BankFacts, fact: Message) -> BankFacts:
        return facts

    def principal(self, facts: BankFacts, principal: str) -> Principal | None:
        return None


@dataclass(frozen=True, slots=True)
class Vault:
    totals: PersistentMap[str, int] = PersistentMap()  # noqa: RUF009 - immutable
    rate: int = 1


class VaultDecider:
    state = Vault

    def initial(self, key: str) -> Vault:
        return Vault()

    def evolve(self, state: Vault, event: Event) -> Vault:
        if isinstance(event, TotalNoted):
            return replace(state, totals=state.totals.set(event.till, event.total_minor))
        if isinstance(event, RateSet):
            return replace(state, rate=event.rate)
        return state

    def decide(self, state: Vault, facts: BankFacts, received: Received) -> Sequence[Event]:
        content = received.content
        if isinstance(content, TillTotal):
            if state.totals.get(content.till) == content.total_minor:
                return []
            return [TotalNoted(till=content.till, total_minor=content.total_minor)]
        if isinstance(content, ChangeRate):
            if content.rate == state.rate:
                return [Refused(rule="rate.unchanged", value=str(content.rate), accepted="another rate")]
            told = [] if content.tell is None else [RateTold(till=content.tell, rate=content.rate)]
            return [RateSet(rate=content.rate), *told]
        return []

    def deadlines(self, state: Vault, facts: BankFacts) -> Iterable[Deadline]:
        return ()


def route_till(decided: Decided) -> Sequence[Send]:
    if isinstance(decided.event, (CoinInserted, TillClosed)):
        till = decided.key.partition("/")[2]
        return [Send("bank", "vault/main", TillTotal(till=till, total_minor=decided.event.total_minor))]
    return ()


def route_bank(decided: Decided) -> Sequence[Send]:
    if isinstance(decided.event, RateSet):
        return [Send("till", BROADCAST, decided.event)]
    if isinstance(decided.event, RateTold):
        return [Send("till", f"till/{decided.event.till}", decided.event)]
    return ()


COINS = InputTopic("coins", (InsertCoin, Explode))
RATES = InputTopic("rates", (ChangeRate,))
TILL: DecisionService[Any] = DecisionService("till", (COINS,), {"till": TillDecider()}, TillFactsFold(), route_till)
BANK: DecisionService[Any] = DecisionService("bank", (RATES,), {"vault": VaultDecider()}, BankFactsFold(), route_bank)
TOPICS = ("coins", "rates", "till.inbox", "bank.inbox", "till.events", "bank.events")
