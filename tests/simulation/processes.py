"""Processes: each runs one engine or one relay, from store call to store call, as the scheduler lets it."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from services.kernel.decider import DecisionService
from services.kernel.engine import Engine, Progress
from services.kernel.space import Space
from services.kernel.verify import Publish
from services.relay.relay import Relay
from tests.simulation.faults import Faults
from tests.simulation.handle import Crash, Handle, StoreFailure
from tests.simulation.world import Place, World

_FRUITLESS_MAX = 3


class Process:
    """Something that takes one step after the other.

    `reads` are the topic partitions in which something new may give it work. `steps_left` counts down for a rival that
    will soon be gone; a process that is `frozen` stands still, however much there is to do.
    """

    def __init__(self, name: str, world: World, faults: Faults, reads: tuple[Place, ...]) -> None:
        self.name = name
        self.handle = Handle(world, faults, name)
        self.reads = reads
        self.alive = True
        self.frozen = False
        self.steps_left: int | None = None
        self.due: int | None = None
        self._woken = True
        self._fruitless = 0
        self._running: Coroutine[Any, Any, Any] | None = None

    def step(self) -> Coroutine[Any, Any, Any]:
        """Begin a step."""
        raise NotImplementedError

    def finished(self, answer: Any) -> None:  # noqa: ANN401 - engines and relays answer differently
        """Take note of what a step did."""
        raise NotImplementedError

    def successor(self) -> "Process":
        """Return a fresh process with the same duty."""
        raise NotImplementedError

    def wake(self) -> None:
        """Look again, for something changed; a step that is under way may have looked before."""
        self._woken = True
        self._fruitless = 0

    def time_passed(self) -> None:
        """Let what is due be tried again."""
        self._fruitless = 0

    @property
    def busy(self) -> bool:
        """Tell whether it is in the middle of a step."""
        return self._running is not None

    @property
    def ready(self) -> bool:
        """Tell whether there may be something to do now."""
        if self.frozen or self._fruitless > _FRUITLESS_MAX:
            return False
        return self._running is not None or self._woken or (self.due is not None and self.handle.now() >= self.due)

    def resume(self) -> None:
        """Run on to the next pause, or to the end of the step."""
        if self._running is None:
            self._woken = False
            self._running = self.step()
        try:
            self._running.send(None)
        except StopIteration as stop:
            self._running = None
            self._end_step()
            self.finished(stop.value)
        except Crash:
            self._running = None
            self.alive = False
        except StoreFailure:
            self._running = None
            self._woken = True
            self._end_step()

    def _end_step(self) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
            self.alive = self.steps_left > 0

    def end(self) -> None:
        """Be gone, in the middle of whatever it does."""
        if self._running is not None:
            self._running.close()
            self._running = None
        self.alive = False

    def worked(self, *, fruitful: bool, more: bool) -> None:
        """Decide whether to go on at once; what brings nothing several times waits until something changes."""
        self._fruitless = 0 if fruitful else self._fruitless + 1
        self._woken = self._woken or more


class EngineProcess(Process):
    """Owns one partition of one service, or believes so."""

    def __init__(
        self,
        space: Space,
        service: DecisionService[Any],
        partition: int,
        world: World,
        faults: Faults,
        snapshots: Path,
        life: int = 1,
    ) -> None:
        reads = tuple((topic, partition) for topic in service.topics)
        super().__init__(f"{service.name}/{partition}#{life}", world, faults, reads)
        self.faults = faults
        self.snapshots = snapshots
        self.life = life
        self.engine = Engine(space, service, self.handle, partition, limits=faults.limits(), snapshots=snapshots)

    def step(self) -> Coroutine[Any, Any, Progress]:
        return self.engine.step()

    def finished(self, answer: Progress) -> None:
        self.due = answer.due
        self.worked(fruitful=answer.decided > 0, more=answer.more)
        if self.faults.strikes("snapshot"):
            self.engine.snapshot()

    def successor(self) -> "EngineProcess":
        engine = self.engine
        if self.faults.strikes("damage"):
            _damage(engine.snapshots, self.faults)
        world = self.handle.world
        return EngineProcess(
            engine.space, engine.service, engine.index, world, self.faults, self.snapshots, self.life + 1
        )


class RelayProcess(Process):
    """Publishes the logs of one partition number to one topic."""

    def __init__(
        self,
        space: Space,
        topic: str,
        publish: Publish,
        logs: tuple[str, ...],
        partition: int,
        world: World,
        faults: Faults,
    ) -> None:
        super().__init__(f"relay {topic}/{partition}", world, faults, tuple((log, partition) for log in logs))
        self._duty = (space, topic, publish, logs, partition, world, faults)
        self._relay = Relay(space, self.handle, topic, publish, logs, partition, fetch_max=faults.pick((20, 40, 2_000)))

    def step(self) -> Coroutine[Any, Any, int]:
        return self._relay.step()

    def finished(self, answer: int) -> None:
        self.worked(fruitful=answer > 0, more=answer > 0)

    def successor(self) -> "RelayProcess":
        return RelayProcess(*self._duty)


def _damage(snapshot: Path | None, faults: Faults) -> None:
    """Change one byte of a snapshot, or cut it, or leave half of the next one beside it."""
    if snapshot is None or not snapshot.exists():
        return
    content = bytearray(snapshot.read_bytes())
    place = faults.random.randrange(len(content))
    match faults.pick(("byte", "cut", "draft")):
        case "byte":
            content[place] ^= 1
            snapshot.write_bytes(content)
        case "cut":
            snapshot.write_bytes(content[:place])
        case _:
            snapshot.with_suffix(".draft").write_bytes(content[:place])
