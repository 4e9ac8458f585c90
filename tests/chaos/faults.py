"""What goes wrong: each fault happens, is over, and everything it touched decides again before the next one."""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from schemas.ids import assessor_key
from services.kernel.partitioner import partition_of
from services.registry import RELAY, RUNNABLE, VIEWS
from tests.chaos.fleet import Fleet, Member, until
from tests.chaos.folded import Folded
from tests.chaos.market import ASSESSORS
from tests.chaos.watch import Shadows, Witness
from tools.broker import Cluster

_FIRST, _SECOND = "a", "b"
_CALM_S = 0.5
_DOWN_S = 4.0
_TOGETHER = 5


@dataclass(slots=True)
class Happened:
    """A fault that happened: to whom, between which instants (in milliseconds since the epoch)."""

    kind: str
    victims: tuple[str, ...]
    began: int
    ended: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that may happen."""

    kind: str
    victims: tuple[str, ...]
    happen: Callable[[], Coroutine[None, None, list[str]]]


class Faults:
    """Lets faults happen to a fleet and its cluster, at random instants."""

    def __init__(
        self,
        fleet: Fleet,
        cluster: Cluster,
        shadows: Shadows,
        witness: Witness,
        folded: Folded,
        chance: random.Random,
    ) -> None:
        self.fleet = fleet
        self.cluster = cluster
        self.shadows = shadows
        self.witness = witness
        self.folded = folded
        self.random = chance
        self.happened: list[Happened] = []
        self._fresh = {RELAY: witness.fresh, VIEWS: folded.fresh}
        self.partitions = shadows.space.partitions
        # Where there is one governor, one partition has all the work; and assessors are few.
        homes = {partition_of(assessor_key(account), self.partitions) for account in ASSESSORS}
        self._busy = {"governance": 1, "assessors": len(homes)}

    def now(self) -> int:
        """Return the time."""
        return self.shadows.store.now()

    def chosen(self, count: int) -> list[Fault]:
        """Choose so many faults of one broker and what runs on it, in any order.

        A tenth of them is the broker's; of the other kinds there are as many of each as of any other, with each service
        in turn as victim, so that twenty faults miss neither a kind nor a service.
        """
        of_services = {"kill -9": self.kill, "stop, resume": self.stop_and_resume, "join, leave": self.join_and_leave}
        found = [Fault("broker kill -9", RUNNABLE, self.kill_broker)] * max(1, count // 10)
        services = self.random.sample(RUNNABLE, len(RUNNABLE))
        for turn in range(count):
            for number, (kind, happen) in enumerate(of_services.items()):
                service = services[(turn + 3 * number) % len(services)]
                found.append(Fault(kind, (service,), partial(happen, service)))
        found = found[:count]
        self.random.shuffle(found)
        return found

    def one_of_three(self) -> Fault:
        """Return the fault of a cluster of several brokers."""
        return Fault("one of three kill -9", RUNNABLE, self.kill_one_of_three)

    async def happen_all(self, faults: Sequence[Fault]) -> None:
        """Let faults happen, several at a time where they have other victims: the first of those that are free."""
        left, running = list(faults), dict[asyncio.Task[None], Fault]()
        try:
            while left or running:
                fault = self._next(left, running.values())
                if fault is None:
                    await self._any_of(running)
                else:
                    left.remove(fault)
                    running[asyncio.create_task(self.happen(fault))] = fault
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @staticmethod
    def _next(left: Sequence[Fault], running: Collection[Fault]) -> Fault | None:
        """Return what happens next; nothing, when it has to wait. What everybody is a victim of is not overtaken."""
        busy = {victim for fault in running for victim in fault.victims}
        if len(running) >= _TOGETHER:
            return None
        for fault in left:
            if busy.isdisjoint(fault.victims):
                return fault
            if len(fault.victims) > 1:
                return None
        return None

    @staticmethod
    async def _any_of(running: dict[asyncio.Task[None], Fault]) -> None:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del running[task]
            task.result()

    async def happen(self, fault: Fault) -> None:
        """Let a fault happen at some instant, and wait until every victim decides again."""
        await asyncio.sleep(self.random.uniform(0, _CALM_S))
        began = self.now()
        notes = await fault.happen()
        took = await asyncio.gather(*(self.decides(victim) for victim in fault.victims))
        if len(took) > 1:
            seconds, last = max(zip(took, fault.victims, strict=True))
            notes.append(f"{last} last, after {seconds:.1f} s")
        self.fleet.check_alive()
        happened = Happened(fault.kind, fault.victims, began, self.now(), notes)
        self.happened.append(happened)
        victims = "all" if len(fault.victims) > 1 else fault.victims[0]
        print(f"  {(happened.ended - began) / 1_000:5.1f} s  {fault.kind}: {victims} {'; '.join(notes)}", flush=True)

    async def decides(self, service: str) -> float:
        """Wait until each partition of a service that has work has stored something that it had not before."""
        fresh = self._fresh.get(service, partial(self.shadows.fresh, service))()
        busy = self._busy.get(service, self.partitions)
        found: set[int] = set()

        async def condition() -> bool:
            found.update(await fresh())
            return len(found) >= busy

        return await until(f"{service} to decide again", condition)

    # --- services

    async def kill(self, service: str) -> list[str]:
        """Kill a process and start it again at once, under its name."""
        (member,) = self.fleet.of(service)
        member.kill()
        self.fleet.gone(member)
        again = self.fleet.start(service, member.instance)
        await self.fleet.shared([again], self.partitions)
        return []

    async def stop_and_resume(self, service: str) -> list[str]:
        """Stop a process for as long as it takes to lose its partitions to another one, then let it go on."""
        (first,) = self.fleet.of(service)
        second = self.fleet.start(service, _SECOND if first.instance == _FIRST else _FIRST)
        await self.fleet.shared([first, second], self.partitions)
        await self._stop(first)
        stopped = time.monotonic()
        await self.fleet.shared([second], self.partitions)
        await self.decides(service)
        first.resume()
        took = time.monotonic() - stopped
        await self.fleet.shared([first, second], self.partitions)
        await self.decides(service)
        # Whoever is left over has everything, the one that was stopped or the one that took its place.
        leaves = self.random.choice((first, second))
        left = await leaves.leave()
        self.fleet.gone(leaves)
        await self.fleet.shared(self.fleet.of(service), self.partitions)
        return [f"stopped {took:.1f} s, left in {left:.1f} s"]

    async def _stop(self, member: Member) -> None:
        """Stop a process, but not while it has the one lock of an SQLite file: nobody could take its place then."""
        member.stop()
        while member.service == VIEWS and not await self.folded.is_free():
            member.resume()
            await asyncio.sleep(self.random.uniform(0, _CALM_S))
            member.stop()

    async def join_and_leave(self, service: str) -> list[str]:
        """Have a process joined by another one, with a name or without, and let that leave again."""
        (first,) = self.fleet.of(service)
        named = self.random.random() < 0.5
        second = self.fleet.start(service, f"guest-{len(self.happened)}" if named else None)
        await self.fleet.shared([first, second], self.partitions)
        await self.decides(service)
        left = await second.leave()
        self.fleet.gone(second)
        await self.fleet.shared([first], self.partitions)
        return [f"{'static' if named else 'dynamic'}, left in {left:.1f} s"]

    # --- brokers

    async def kill_broker(self) -> list[str]:
        """Kill the only broker, and start it again after a while."""
        down = self.random.uniform(0, _DOWN_S)
        await asyncio.to_thread(self.cluster.kill)
        await asyncio.sleep(down)
        began = time.monotonic()
        await asyncio.to_thread(self.cluster.restart)
        return [f"down {down:.1f} s, back in {time.monotonic() - began:.1f} s"]

    async def kill_one_of_three(self) -> list[str]:
        """Kill one of several brokers: all goes on without it, and when it is back."""
        node = self.random.choice(self.cluster.numbers)
        began = time.monotonic()
        await asyncio.to_thread(self.cluster.kill, node)
        await asyncio.gather(*(self.decides(service) for service in RUNNABLE))
        took = time.monotonic() - began
        began = time.monotonic()
        await asyncio.to_thread(self.cluster.restart, node)
        back = time.monotonic() - began
        return [f"node {node}; all decided without it after {took:.1f} s", f"back in {back:.1f} s"]


def longest_silence(times: Sequence[int], happened: Happened) -> float:
    """Return for how many seconds nothing was stored around a fault, given the instants at which something was."""
    longest = 0
    for before, after in pairwise(times):
        if before < happened.ended and after > happened.began:
            longest = max(longest, after - before)
    return longest / 1_000
