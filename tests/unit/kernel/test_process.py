"""The loop of a process, without a cluster: when a fenced owner claims again, and what a failed cache costs."""

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from services.kernel.kafka import clients, process
from services.kernel.kafka.membership import Membership
from services.kernel.kafka.process import EngineSubject, FencedError, Process
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.store import Outcome

SETTINGS = KafkaSettings("127.0.0.1:1")


class Alone(Membership):
    """Has one partition, and hears of no group."""

    async def run(self) -> None:
        self._assigned([0])
        await asyncio.Event().wait()


class Fenced:
    """Finds itself fenced once, and calls back with each step."""

    waits_for = ""

    def __init__(self, stepped: Callable[[int], None]) -> None:
        self.steps = 0
        self._stepped = stepped

    async def step(self) -> float:
        self.steps += 1
        self._stepped(self.steps)
        if self.steps == 1:
            raise FencedError
        return 60.0

    async def arrival(self, timeout_s: float) -> None:
        await asyncio.sleep(timeout_s)

    async def close(self) -> None:
        return


def test_a_fenced_owner_claims_only_when_the_group_has_said_whose_the_partition_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claiming while the group shares its partitions out anew fenced the rightful owner, which then had to wait."""
    monkeypatch.setattr(process, "AFTER_FENCE_S", 0.0)
    told: list[str] = []

    async def run() -> None:
        membership, stop = Alone(SETTINGS, "group", "topic"), asyncio.Event()

        def stepped(number: int) -> None:
            told.append(f"step {number}")
            if number == 1:
                membership.settled.clear()  # it is about to be rearranged
                asyncio.get_running_loop().call_later(0.05, settle)
            else:
                stop.set()

        def settle() -> None:
            told.append("settled")
            membership._assigned([0])

        await Process("till", membership, lambda _: Fenced(stepped)).run(stop)

    asyncio.run(run())
    assert told == ["step 1", "settled", "step 2"]


def test_process__is_not_ready__when_it_was_given_a_partition_and_has_not_begun_with_it() -> None:
    """For a moment it said that it was ready, with no partition at all."""
    membership = Alone(SETTINGS, "group", "topic")
    membership._assigned([0])
    held = Process("till", membership, lambda _: Fenced(lambda _: None))
    assert held.waits_for() == {"partition 0": "its start"}


def test_a_snapshot_that_cannot_be_written_is_no_failure_of_a_step() -> None:
    """A full disk made every step fail after its commit, and the process wait before the next one."""

    async def step() -> SimpleNamespace:
        return SimpleNamespace(decided=1, more=True, due=None)

    def snapshot(**_: object) -> None:
        raise OSError("no space left on device")

    service = SimpleNamespace(log="till.events")
    engine = SimpleNamespace(
        stopped=None, is_recovered=True, outcome=Outcome.OK, step=step, snapshot=snapshot, service=service, index=0
    )
    subject = EngineSubject(engine, SimpleNamespace())  # type: ignore[arg-type]
    assert asyncio.run(subject.step()) == 0.0


def test_a_client_that_repeats_itself_is_heard_once(caplog: pytest.LogCaptureFixture) -> None:
    """While a broker is away, every client says so many times a second."""
    log = logging.getLogger("aiokafka.consumer.fetcher")
    for number in range(3):
        log.warning("Failed fetch of %s, as a test says", number)
    assert [record.getMessage() for record in caplog.records] == ["Failed fetch of 0, as a test says"]


def test_a_broker_that_is_not_there_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting again and again, a few processes kept a core busy that the broker needed to come back."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def run() -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        reader = clients.consumer(SETTINGS)
        with pytest.raises(clients.kafka_errors.KafkaConnectionError):
            await reader.start()
        await clients.close(reader)

    asyncio.run(run())
    assert waited == [clients._RECONNECT_S]
