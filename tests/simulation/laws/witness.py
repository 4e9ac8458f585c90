"""The witness: sees every record as it is stored, and holds every law against it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from schemas.adjudication import VotesSettled
from schemas.assessors import LocksAnswered
from schemas.claims import ClaimAllocated
from schemas.envelope import Message, Position, Record
from schemas.pools import IncidentSettled
from schemas.topics import INSTRUCTIONS, OUTCOMES
from services.kernel.records import InputsPassed, Refused, SetAside
from services.kernel.space import Space
from services.registry import decision_services
from tests.simulation.entries import Entry, read_entry
from tests.simulation.laws.cases import Cases
from tests.simulation.laws.covers import Covers
from tests.simulation.laws.debts import Debts
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.halting import Halting
from tests.simulation.laws.incidents import Incidents
from tests.simulation.laws.law import LawBroken
from tests.simulation.laws.logbook import Logbook
from tests.simulation.laws.payouts import Payouts
from tests.simulation.laws.pools import Pools
from tests.simulation.laws.profiles import Profiles
from tests.simulation.laws.published import Published
from tests.simulation.laws.repeats import Repeats
from tests.simulation.laws.settlements import Settlements
from tests.simulation.laws.stakes import Stakes
from tests.simulation.laws.votes import Votes
from tests.simulation.world import World


class Witness:
    """Every law, and a count of what it saw."""

    def __init__(self, space: Space, world: World) -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        self.logbooks = {
            (service.log, partition): Logbook(space, service, partition, world)
            for service in decision_services()
            for partition in range(space.partitions)
        }
        self.repeats = Repeats(world)
        self.facts = Facts()
        debts: Debts = {}
        self.cases = Cases(self.facts)
        votes = Votes(self.facts, self.cases, space.skew)
        self.incidents = Incidents(self.facts, self.cases)
        self.covers = Covers(self.facts, self.cases, debts)
        self.pools = Pools(self.facts, debts)
        self.settlements = Settlements(self.facts, self.pools, self.covers)
        self.stakes = Stakes(self.facts, self.cases, votes, debts, space.partitions)
        self.profiles = Profiles(self.stakes)
        self.payouts = Payouts(debts)
        self.published = Published(world)
        # The order is that of a law's needs: a round's votes are looked at before its case goes on.
        laws = (
            self.facts,
            Halting(self.facts),
            votes,
            self.cases,
            self.incidents,
            self.pools,
            self.covers,
            self.settlements,
            self.stakes,
            self.profiles,
            self.payouts,
        )
        self._handlers: dict[type[Message], list[Callable[[Entry, Any], None]]] = defaultdict(list)
        for law in laws:
            for kind, handler in law.handlers.items():
                self._handlers[kind].append(handler)

    def committed(self, records: Sequence[Record]) -> None:
        """Look at what a commit put into a log."""
        for record in records:
            entry = read_entry(record)
            self.logbooks[entry.log, entry.partition].record(record, entry)
            self.repeats.entry(entry)
            for handler in self._handlers.get(type(entry.content), ()):
                handler(entry, entry.content)
            self._count(entry)

    def appended(self, positions: Sequence[Position]) -> None:
        """Look at what was appended to the topics for outsiders."""
        for topic, _, partition, offset in positions:
            if topic in (OUTCOMES, INSTRUCTIONS):
                self.published.record(self.world.records[topic, partition][offset])

    def refused_all(self, positions: Sequence[Position]) -> None:
        """Demand that each of these inputs was refused."""
        for position in positions:
            outcome = self.published.outcomes[str(position)]
            if outcome.fate != "refused":
                raise LawBroken(f"law 1: {position} was done long ago, and is done again: {outcome!r}")

    def _count(self, entry: Entry) -> None:
        self.counts[f"event: {entry.content.wire}"] += 1
        self.counts.update(_told(entry.content))
        match entry.content:
            case Refused(rule=rule):
                self.counts[f"refused: {rule if len(rule) < 60 else rule[:20]}"] += 1
            case SetAside(cause=cause):
                self.counts[f"set aside: {cause}"] += 1
            case InputsPassed(ranges=ranges):
                for passed in (passed for topic_range in ranges for passed in topic_range.inputs):
                    self.counts[f"passed: {passed.fate}"] += 1
            case _ if entry.deadline is not None and entry.at != entry.deadline[1]:
                self.counts["deadline: late"] += 1
            case _ if entry.deadline is not None:
                self.counts["deadline: in time"] += 1
            case _:
                pass


def _told(event: Message) -> Iterator[str]:
    """Name what an event tells that its type does not."""
    match event:
        case IncidentSettled(cause=cause):
            is_short = cause == "cut-off" and event.distributed_minor < event.owed_minor
            yield f"settled: {cause}, short" if is_short else f"settled: {cause}"
        case ClaimAllocated(allocation=None):
            yield "share: of a claim that was not approved"
        case LocksAnswered(cases=cases) if cases:
            yield "stake: held by a case"
        case VotesSettled(lines=lines):
            yield from ("vote: forfeits" for line in lines if line.forfeit_minor)
            yield from ("vote: wins" for line in lines if line.reward_minor)
        case _:
            pass
