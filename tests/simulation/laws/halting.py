"""Who stops a product, and for how long: as many persons as its rulebook says, one halt at a time, and bounded."""

from collections.abc import Sequence

from schemas.governance import (
    GroupSet,
    HaltRequested,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
)
from schemas.rulebook import HaltRules
from tests.simulation.entries import Entry
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, broken, demand


class Halting:
    """What governance's own log says of halts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._rulebooks: dict[str, str] = {}
        self._principals: set[str] = set()
        self._groups: dict[str, tuple[str, ...]] = {}
        self._asked: dict[str, list[HaltRequested]] = {}
        self._last: dict[str, ProductHalted | ProductOpened] = {}
        self.handlers: Handlers = {
            ProductListed: self._listed,
            PrincipalRegistered: self._registered,
            PrincipalRevoked: self._revoked,
            GroupSet: self._set,
            HaltRequested: self._requested,
            ProductHalted: self._halted,
            ProductOpened: self._opened,
        }

    def _listed(self, entry: Entry, event: ProductListed) -> None:
        self._rulebooks[event.product] = event.rulebook

    def _registered(self, entry: Entry, event: PrincipalRegistered) -> None:
        self._principals.add(event.principal)

    def _revoked(self, entry: Entry, event: PrincipalRevoked) -> None:
        self._principals.discard(event.principal)

    def _set(self, entry: Entry, event: GroupSet) -> None:
        self._groups[event.group] = event.members

    def _rules(self, entry: Entry, product: str, persons: Sequence[str]) -> HaltRules:
        """Return the rules of a halt, by which each of these persons may ask for one."""
        rules = self.facts.rulebooks[self._rulebooks[product]].halt
        if rules is None:
            broken(entry, f"{self._rulebooks[product]} says nothing of halts")
        entitled = {"root", *(self._principals & set(self._groups.get(rules.group, ())))}
        if not entitled.issuperset(persons) or len(set(persons)) < len(persons):
            broken(entry, f"{persons} ask, {entitled} may")
        demand(entry, "the last who asks", persons[-1], entry.headers["ce_sender"])
        return rules

    def _requested(self, entry: Entry, event: HaltRequested) -> None:
        rules = self._rules(entry, event.product, (event.by,))
        if not 0 < event.length <= rules.length_max or event.persons_missing <= 0:
            broken(entry, f"the rules are {rules!r}")
        self._asked.setdefault(event.product, []).append(event)

    def _halted(self, entry: Entry, event: ProductHalted) -> None:
        """Everybody who is named asked for the same, in time, and no other halt stands."""
        rules, length = self._rules(entry, event.product, event.by), event.until - event.effective_at
        last = self._last.get(event.product)
        if last is not None and entry.at < last.until:
            broken(entry, f"a halt lasts until {last.until}")
        same = {
            asked.by
            for asked in self._asked.pop(event.product, [])
            if asked.length == length and entry.at < asked.lapses_at
        }
        if not same.issuperset(event.by[:-1]) or len(event.by) < rules.persons or not 0 < length <= rules.length_max:
            broken(entry, f"{same} asked, the rules are {rules!r}")
        demand(entry, "the notice", event.effective_at, entry.since + rules.notice)
        self._last[event.product] = event

    def _opened(self, entry: Entry, event: ProductOpened) -> None:
        last = self._last.get(event.product)
        if last is None or event.effective_at != last.effective_at or not entry.at <= event.until < last.until:
            broken(entry, f"the last halt is {last!r}")
        self._last[event.product] = event
