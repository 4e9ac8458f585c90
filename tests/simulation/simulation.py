"""One run: every service, the relay and everybody outside, in one loop, under one seed.

A turn of the loop resumes one process up to its next pause, lets somebody outside speak, lets something go wrong, or
lets time pass. Everything is drawn from the seed, so that a seed repeats itself exactly.

In a *calm* run time stands still until everything that is under way has come to rest, and clocks agree: what goes
wrong can then change nothing at all, and `tests.simulation.twins` holds it against the same run without faults.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from schemas.envelope import Outgoing, Record
from schemas.instants import DAY
from services.kernel.engine import PartitionStoppedError
from services.kernel.space import DUPLICATE_WINDOW
from services.registry import TOPIC_NAMES, decision_services, new_space
from services.relay.publish import PUBLISHES, READS
from tests.simulation.driving import drive
from tests.simulation.faults import Faults, Rates
from tests.simulation.laws import ending
from tests.simulation.laws.law import LawBroken
from tests.simulation.laws.witness import Witness
from tests.simulation.processes import EngineProcess, Process, RelayProcess
from tests.simulation.reading import ReadSide
from tests.simulation.tracing import Trace
from tests.simulation.workload.outside import Outside
from tests.simulation.workload.post import public_key
from tests.simulation.world import World

_TURNS_MAX = 300_000
_SOON = 60_000
_READ_EVERY = 4
"""One seed in so many also has a read model: it costs half as much again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of run a seed makes."""

    calm: bool
    rates: Rates
    acts: int
    partitions: int

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """Draw the plan of a seed."""
        random = Random(f"{seed}/plan")
        return cls(seed % 6 == 0, Rates.drawn(random), random.randint(70, 150), random.choice((1, 2, 2, 3)))


@dataclass(slots=True)
class Summary:
    """What happened in a run: how often what, and the state of all logs."""

    seed: int
    turns: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    log_hash: str = ""


class Simulation:
    """A run under a seed; `folder` takes snapshots."""

    def __init__(
        self, seed: int, folder: Path, *, faultless: bool = False, trace: Callable[[str], None] | None = None
    ) -> None:
        self.seed = seed
        self.plan = Plan.of(seed)
        self.random = Random(f"{seed}/turns")
        self.faults = Faults(Random(f"{seed}/faults"), Rates() if faultless else self.plan.rates)
        self.space = new_space("simulated", self.plan.partitions, public_key("root"))
        skewed = not self.plan.calm
        self.world = World(self.space, TOPIC_NAMES, self.faults, Random(f"{seed}/world"), skewed=skewed)
        self.outside = Outside(self.space, self.world, Random(f"{seed}/outside"), self.plan.acts)
        self.witness = Witness(self.space, self.world)
        self.world.on_commit = self._committed
        self.world.on_append = self.witness.appended
        self.processes = self._processes(folder)
        is_read = seed % _READ_EVERY == 0 and not faultless
        self.read_side = ReadSide(self.space, self.world, folder, Random(f"{seed}/views")) if is_read else None
        self.thaws: list[tuple[int, Process]] = []
        self.turns = 0
        self.repeated = 0
        self._unsaid: list[Outgoing] = []
        self._trace = None if trace is None else Trace(trace, self.world.time)
        self.faults.tell = self._trace

    def _processes(self, folder: Path) -> list[Process]:
        partitions = range(self.space.partitions)
        world, faults = self.world, self.faults
        return [
            *(
                EngineProcess(self.space, service, partition, world, faults, folder)
                for service in decision_services()
                for partition in partitions
            ),
            *(
                RelayProcess(self.space, topic, publish, READS[topic], partition, world, faults)
                for topic, publish in PUBLISHES.items()
                for partition in partitions
            ),
        ]

    # --- the loop

    def run(self) -> Summary:
        """Run to the end and check everything."""
        try:
            return self._run()
        finally:
            if self.read_side is not None:
                self.read_side.close()

    def _run(self) -> Summary:
        while self._unsaid or not self.outside.done or self.thaws:
            self._turn()
        self._come_to_rest()
        if self.seed % 3 == 0:
            self._repeat_old()
        engines = [process.engine for process in self.processes if isinstance(process, EngineProcess)]
        report = ending.check(self.space, self.world, self.witness, engines)
        if self.read_side is not None:
            self.read_side.check(engines)
        return self._summary(report.log_hash)

    def _turn(self) -> None:
        self.turns += 1
        if self.turns > _TURNS_MAX:
            raise LawBroken("the run does not come to an end")
        self._mishaps()
        if self.read_side is not None:
            self.read_side.turn()
        ready = [process for process in self.processes if process.ready]
        if ready and (self.plan.calm or self.random.random() < 0.85):
            self._resume(self.random.choice(ready))
        elif self.plan.calm and (self.world.visible or self.world.in_flight):
            self._clear_one()
        elif self._outside_due():
            self._speak()
        else:
            self._pass_time(hurry=not ready)

    def _outside_due(self) -> bool:
        if self._unsaid:
            return True
        return self.outside.next_at is not None and self.outside.next_at <= self.world.time.now()

    def _speak(self) -> None:
        """Let the outside write: what it has to say all together, in a calm run one record after the other."""
        if not self._unsaid:
            self._unsaid += self.outside.act()
        count = 1 if self.plan.calm else len(self._unsaid)
        said, self._unsaid = self._unsaid[:count], self._unsaid[count:]
        if said:
            if self._trace is not None:
                self._trace.said(said)
            drive(self.world.append(said))
            self._wake()

    def _resume(self, process: Process) -> None:
        try:
            process.resume()
        except PartitionStoppedError as error:
            raise LawBroken(f"law 9: {process.name} {error}") from error
        self._wake()
        if not process.alive:
            self.processes.remove(process)
            if process.steps_left is None:
                self.processes.append(process.successor())
        elif process.busy and not self.plan.calm and self.faults.strikes("stall"):
            self._freeze(process, self.random.randrange(4_000))

    def _wake(self) -> None:
        """Wake whoever reads what something appeared in."""
        if not self.world.touched:
            return
        for process in self.processes:
            if any(place in self.world.touched for place in process.reads):
                process.wake()
        self.world.touched.clear()

    # --- time

    def _pass_time(self, *, hurry: bool) -> None:
        """Let a moment pass, or (`hurry`) as much time as nothing happens in."""
        now = self.world.time.now()
        if not hurry:
            self._move_to(now + self.random.choice((1, 1, 5, 50)))
            return
        if (self.world.visible or self.world.in_flight) and self.random.random() < 0.5:
            self._clear_one()
            return
        instants = [instant for instant in (self.outside.next_at, *self._dues()) if instant is not None]
        self._move_to(max(now + 1, min(instants)) if instants else now + 1_000)

    def _dues(self) -> list[int]:
        dues = [
            process.due - self.world.clock_offset(process.name)
            for process in self.processes
            if process.due is not None and not process.frozen
        ]
        return dues + [instant for instant, _ in self.thaws]

    def _move_to(self, instant: int) -> None:
        self.world.time.advance_to(instant)
        for process in self.processes:
            process.time_passed()
        for thaw in [thaw for thaw in self.thaws if thaw[0] <= instant]:
            self.thaws.remove(thaw)
            process = thaw[1]
            process.frozen = False
            if process.alive and process.steps_left is None and self.faults.strikes("takeover"):
                self._rival_of(process)

    # --- what goes wrong between steps

    def _mishaps(self) -> None:
        if self.faults.strikes("release") and self.world.release_one():
            self._wake()
        if self.faults.strikes("rival"):
            self._rival()
        if self.plan.calm:
            return
        if self.faults.strikes("wander"):
            self.world.wander()
        if not self.outside.done and self.faults.strikes("outage"):
            self._outage()

    def _clear_one(self) -> None:
        """Let something that is invisible or in flight be so no more."""
        if self.world.in_flight:
            drive(self.world.land(self.world.in_flight[0]))
        else:
            self.world.release_one()
        self._wake()

    def _rival(self) -> None:
        """Let a second owner appear beside any process."""
        self._rival_of(self.random.choice([held for held in self.processes if held.steps_left is None]))

    def _rival_of(self, process: Process) -> None:
        """Let a second owner appear: one of the two will soon be gone, and does not know."""
        rival = process.successor()
        self.processes.append(rival)
        self.random.choice((process, rival)).steps_left = self.random.randint(1, 6)

    def _outage(self) -> None:
        """Let some processes stand still, or one that a deadline waits for; some of them die of it."""
        soon = self.world.time.now() + _SOON
        waiting = [process for process in self.processes if process.due is not None and process.due < soon]
        if waiting and self.random.random() < 0.7:
            process = self.random.choice(waiting)
            self._stop(process, self._until_late(process))
            return
        duration, share = self.random.choice((1_000, 30_000, 70_000, 200_000)), self.random.choice((0.2, 1.0))
        for process in list(self.processes):
            if self.random.random() < share:
                self._stop(process, duration)

    def _until_late(self, process: Process) -> int:
        """Draw how long a process stands still so that by some clocks its deadline is late, and by others not yet."""
        assert process.due is not None
        space, due = self.space, process.due - self.space.skew
        late = due + space.late + self.random.randrange(3 * space.skew)
        return max(1_000, late - self.world.time.now())

    def _stop(self, process: Process, duration: int) -> None:
        """Let a process stand still, or die and be back only then."""
        if process.frozen or process.steps_left is not None:
            return
        if self.random.random() < 0.5:
            process.end()
            self.processes.remove(process)
            process = process.successor()
            self.processes.append(process)
        self._freeze(process, duration)

    def _freeze(self, process: Process, duration: int) -> None:
        process.frozen = True
        self.thaws.append((self.world.time.now() + duration, process))

    # --- the end

    def _come_to_rest(self) -> None:
        """Let nothing go wrong any more, deliver everything, and let every deadline pass."""
        self._heal()
        while True:
            if (
                any(process.ready for process in self.processes)
                or self._unsaid
                or not self.outside.done
                or self.world.visible
            ):
                self._turn()
                continue
            if self._outside_reacts():
                continue
            dues = self._dues()
            if not dues:
                return
            self._move_to(max(self.world.time.now() + 1, min(dues)))
            self.turns += 1

    def _repeat_old(self) -> None:
        """Say again what was done, when nobody remembers ids any more: the state itself must refuse it."""
        self._move_to(self.world.time.now() + DUPLICATE_WINDOW + DAY)
        records = self.outside.old()
        positions = drive(self.world.append(records))
        self._wake()
        self._come_to_rest()
        self.witness.refused_all(positions)
        self.repeated = len(records)

    def _outside_reacts(self) -> bool:
        self._speak()
        return bool(self._unsaid) or not self.outside.done

    def _heal(self) -> None:
        self.faults.heal()
        for process in list(self.processes):
            process.frozen = False
            if process.steps_left is not None:
                process.end()
                self.processes.remove(process)
        self.thaws.clear()
        while self.world.visible or self.world.in_flight:
            self._clear_one()

    def _summary(self, log_hash: str) -> Summary:
        summary = Summary(self.seed, self.turns, log_hash=log_hash)
        summary.counts.update({f"fault: {name}": count for name, count in self.faults.happened.items()})
        summary.counts.update(self.witness.counts)
        summary.counts["tranche: begun anew"] = self.witness.pools.begun_anew
        summary.counts["run: old inputs repeated"] = self.repeated
        if self.read_side is not None:
            happened = self.read_side.faults.happened
            summary.counts.update({f"read model: {name}": count for name, count in happened.items()})
            summary.counts["run: the read model rebuilt, and the same"] = 1
        return summary

    def _committed(self, records: Sequence[Record]) -> None:
        if self._trace is not None:
            self._trace.committed(list(records))
        self.witness.committed(records)
