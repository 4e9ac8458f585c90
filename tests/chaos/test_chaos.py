"""Everything that can break, breaks, under a steady load; and in the end every law of the log holds."""

import asyncio
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from schemas.topics import OUTCOMES
from services.cli.data import DataDirectory
from services.kernel import collector
from services.kernel.kafka.settings import KafkaSettings
from services.registry import RELAY, RUNNABLE, VIEWS
from tests.chaos.checks import Audit, audit
from tests.chaos.faults import Fault, Faults, longest_silence
from tests.chaos.fleet import Fleet, until
from tests.chaos.folded import Folded
from tests.chaos.load import Load
from tests.chaos.market import capital, governance, incidents, sold, vouched
from tests.chaos.stream import Stream, spelled
from tests.chaos.watch import Shadows, Witness
from tests.integration.processes import ROOT
from tools.broker import Cluster

ROUND = 24
"""At most so many faults happen to one space, so that what is checked in the end fits into memory."""
PARTITIONS = 4
_SETTINGS = {"broker.session.timeout.ms": "1500"}
"""A dead broker's session must be over before it may start again."""
_JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")
"""With the optimising compiler: one broker is half of the work here, and has minutes to become quick. Three, of which
one starts again, would spend more on compiling than they gain."""
RATE_MIN = 100
"""The load aims at more than 300 inputs a second, and the report says what it was: a slow machine is not wrong."""
_HORIZON_MS = 600_000
_STEADY_S = 2.0
_PATIENCE_S = 180.0
_POLL_S = 0.3
_COMMAND_S = 400.0

Schedule = Callable[[Faults], list[Fault]]
"""Which faults happen, one after the other."""

pytestmark = pytest.mark.timeout(900)


def rounds(faults: int) -> list[tuple[int, int]]:
    """Share faults out: how many happen on one broker, and how many to one of three brokers, in each round."""
    count = -(-faults // (ROUND + 1))
    found = []
    for number in range(count):
        size = faults * (number + 1) // count - faults * number // count
        found.append((max(size - 1, 1), 1))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one, three = zip(*rounds(metafunc.config.getoption("--faults")), strict=True)
    held = one if metafunc.function is test_faults_of_services_and_broker__every_law_holds else three
    metafunc.parametrize(("number", "faults"), list(enumerate(held)), ids=[f"round-{n}" for n in range(len(held))])


def seed_of(config: pytest.Config, number: int) -> int:
    """Return the seed of a round: given, or another each time."""
    given: int | None = config.getoption("--chaos-seed")
    return random.SystemRandom().randrange(2**32) if given is None else given + number


def test_faults_of_services_and_broker__every_law_holds(
    number: int, faults: int, tmp_path: Path, pytestconfig: pytest.Config, report: list[str]
) -> None:
    seed = seed_of(pytestconfig, number)
    with Cluster(settings=_SETTINGS, jvm=_JVM) as cluster:
        chaos = Chaos(cluster, tmp_path, seed, report)
        chaos.run(lambda happens: happens.chosen(faults))


def test_one_of_three_brokers_killed__every_law_holds(
    number: int, faults: int, tmp_path: Path, pytestconfig: pytest.Config, report: list[str]
) -> None:
    with Cluster(3, settings=_SETTINGS) as cluster:
        chaos = Chaos(cluster, tmp_path, seed_of(pytestconfig, number), report)
        chaos.run(lambda happens: [happens.one_of_three()] * faults)


class Laps:
    """How long each part took, for the report."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._parts: list[str] = []

    def end(self, part: str) -> None:
        """Note that a part is over."""
        before, self._last = self._last, time.monotonic()
        self._parts.append(f"{part} {self._last - before:.0f}")

    def __str__(self) -> str:
        return ", ".join(self._parts)


class Chaos:
    """One space on one cluster, from its topics to the verified log."""

    def __init__(self, cluster: Cluster, folder: Path, seed: int, report: list[str]) -> None:
        self.cluster = cluster
        self.data = folder / "data"
        self.folder = folder
        self.seed = seed
        self.report = report
        self._command("topics", "apply", "--space", "chaos", "--partitions", str(PARTITIONS))
        self.space = DataDirectory(self.data).space()
        self.settings = KafkaSettings(cluster.bootstrap)
        self.fleet = Fleet(self.data, cluster.bootstrap, folder / "logs")

    def _command(self, *arguments: str) -> str:
        return self._ran("services.cli", *arguments, "--data", str(self.data), "--kafka", self.cluster.bootstrap)

    def _ran(self, module: str, *arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_S,
        )
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def run(self, schedule: Schedule) -> None:
        """Let faults happen under load, come to rest, and check."""
        self.say(f"seed {self.seed}, {len(self.cluster.numbers)} broker(s)")
        try:
            # What is held for the checks grows to millions of objects, and all of it is needed to the end.
            with collector.paused():
                asyncio.run(self._run(schedule))
        finally:
            self.fleet.kill()

    def say(self, line: str) -> None:
        """Add to the report; also at once, for whoever waits."""
        self.report.append(line)
        print(line, flush=True)

    async def _run(self, schedule: Schedule) -> None:
        chance, laps = random.Random(self.seed), Laps()
        shadows = Shadows(self.space, self.settings)
        folded = Folded(self.space, DataDirectory(self.data).views)
        stream = Stream(self.space, self.seed, shadows.store.now())
        load = Load(stream, self.settings)
        witness = Witness(self.space, self.settings, stream.hear)
        for service in RUNNABLE:
            self.fleet.start(service, "a")
        tasks = [asyncio.create_task(witness.run()), asyncio.create_task(folded.run(shadows))]
        try:
            await self._set_up(load, shadows)
            sending = asyncio.create_task(load.run())
            tasks.append(sending)
            laps.end("set up")
            faults = Faults(self.fleet, self.cluster, shadows, witness, folded, chance)
            await asyncio.sleep(_STEADY_S)
            await asyncio.gather(*(faults.decides(service) for service in RUNNABLE))
            await faults.happen_all(schedule(faults))
            for task in tasks:
                assert not task.done(), task.result()
            stream.is_new_wanted = False
            sent = load.count
            laps.end("under load")
            await self._rest(load, shadows, witness)
            await self._all_folded(folded, shadows)
            self.say(
                f"{sent:,} inputs in {load.seconds:.0f} s ({sent / load.seconds:.0f}/s), then {load.count - sent:,}; "
                f"{load.again:,} sent again; {spelled(stream.made)}"
            )
            assert sent / load.seconds >= RATE_MIN
            laps.end("to rest")
            await self.fleet.leave()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            tasks.clear()
            (checked, rows), verified, rebuilt = await asyncio.gather(
                self._audited(witness, folded, shadows),
                asyncio.to_thread(self._verify),
                asyncio.to_thread(self._ran, "tests.chaos.folded", self.cluster.bootstrap, str(self.data)),
            )
            laps.end("checked")
            self.say(f"read model: {rows:,} rows say what the services know; {rebuilt.strip()}")
            self._told(faults, checked, verified)
            self.say(f"seconds: {laps}")
            assert not checked.findings, "\n".join(checked.findings)
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            await load.close()
            await folded.close()
            await shadows.close()

    async def _set_up(self, load: Load, shadows: Shadows) -> None:
        """Have everything there that the stream builds on."""
        for service in RUNNABLE:
            await self.fleet.shared(self.fleet.of(service), PARTITIONS)
        for given in (governance, capital, sold, incidents):
            await load.send(vouched(self.space, given(self.space, shadows.store.now())))
            await self._quiet(shadows)
        load.sent.clear()

    async def _quiet(self, shadows: Shadows) -> None:
        """Wait until nothing is left to decide: by offsets, and by the deadlines that the logs leave open.

        Patience ends when nothing moves on any more: a loaded machine has much left, and that is not wrong.
        """
        await self._until_none("something to be decided", lambda: shadows.left(_HORIZON_MS))

    async def _all_folded(self, folded: Folded, shadows: Shadows) -> None:
        """Wait until the read model has folded all that was decided."""
        await self._until_none("something to be folded", lambda: folded.left(shadows))

    async def _until_none(self, what: str, ask: Callable[[], Awaitable[list[str]]]) -> None:
        """Wait until nothing is left, as long as something moves on."""
        left: list[str] = []

        async def condition() -> bool:
            self.fleet.check_alive()
            before = list(left)
            left[:] = await ask()
            return left != before or not left

        while True:
            try:
                await until(what, condition, _PATIENCE_S, poll_s=_POLL_S)
            except AssertionError as error:
                raise AssertionError(f"{error}: {left}") from None
            if not left:
                return
            await asyncio.sleep(_POLL_S)

    async def _rest(self, load: Load, shadows: Shadows, witness: Witness) -> None:
        """Wait until all that was called for is sent, decided and published."""

        async def condition() -> bool:
            await self._quiet(shadows)
            if load.stream.waiting:
                return False
            implied = await shadows.published()
            told = witness.told()
            if any(implied[place] - told[place] for place in told):
                return False
            before = load.count
            # What was published just now may have called for more.
            await asyncio.sleep(0)
            return not load.stream.waiting and load.count == before and not await shadows.left(_HORIZON_MS)

        await self._quiet(shadows)
        await until("everything to be published", condition, _PATIENCE_S, poll_s=_POLL_S)

    async def _audited(self, witness: Witness, folded: Folded, shadows: Shadows) -> tuple[Audit, int]:
        """Check the records themselves, then the rows made of them; return how many rows there are, too."""
        checked = await audit(self.space, self.settings, witness)
        return checked, await folded.agree(shadows, checked.inputs)

    def _verify(self) -> str:
        return self._command("log", "verify")

    def _told(self, faults: Faults, checked: Audit, verified: str) -> None:
        """Report what happened, and for how long nobody decided."""
        silent: dict[str, list[float]] = defaultdict(list)
        for happened in faults.happened:
            silences = [
                longest_silence(times, happened) for victim in happened.victims for times in self._times(victim, faults)
            ]
            silent[happened.kind].append(max(silences, default=0.0))
        for kind, seconds in sorted(silent.items()):
            longest = " ".join(f"{second:.1f}" for second in sorted(seconds))
            self.say(f"{len(seconds):3} × {kind:22} longest without a decision: {longest} s")
        self.say(
            f"{len(checked.inputs):,} public inputs, {checked.events:,} events; fates: {spelled(checked.fates)}; "
            f"aborted: {checked.aborted_records:,} records in {checked.aborted_transactions:,} transactions; "
            f"{checked.repeats:,} repeats published"
        )
        self.say(f"effects: {spelled(checked.effects)}")
        self.say("verify: " + ", ".join(line.strip() for line in verified.splitlines() if line.strip())[:400])

    def _times(self, victim: str, faults: Faults) -> list[Sequence[int]]:
        if victim == VIEWS:
            return list(faults.folded.times.values())
        if victim == RELAY:
            outcomes = [held for place, held in faults.witness.seen.items() if place[0] == OUTCOMES]
            return [sorted(at for _, at in held.values()) for held in outcomes]
        # Where there is one governor, one partition has all the work.
        return [shadow.times for shadow in faults.shadows.all[victim] if len(shadow.times) > ROUND * 4]
