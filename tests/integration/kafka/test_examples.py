"""The programs of examples/, as an outsider runs them, against a real broker and a space that decides."""

import ast
import asyncio
import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.topics import TOPICS, settings
from services.cli.keys import Keyring, create_key, registration
from services.cli.lines import read_line
from services.embedded import Embedded
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.markers import marker
from services.registry import new_space
from tests.integration import world
from tests.integration.world import ASSESSORS, BOT, GATEWAY, HOLDER, Line
from tests.support.kafka import create_topics, new_prefix

EXAMPLES = Path(__file__).parents[3] / "examples"
PATIENCE_S = 60
PARTITIONS = 2
INCARNATION = "0123456789abcdef"
Answer = TypeVar("Answer")


# ------------------------------------------------------------------------------------------------------- the cluster


async def create(bootstrap: str, space: str, kinds: Sequence[str]) -> None:
    """Create a space's topics of some kinds, each partition with its marker."""
    topics = [topic.name for topic in TOPICS if topic.kind in kinds]
    markers = [marker(space, topic, number, INCARNATION) for topic in topics for number in range(PARTITIONS)]
    config = settings("input", 1)
    await create_topics(KafkaSettings(bootstrap), space, topics, PARTITIONS, config=config, markers=markers)


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


Seen = list[tuple[str, dict[str, Any]]]
"""Types and contents of records."""


async def wait_for(bootstrap: str, topic: str, enough: Callable[[Seen], bool]) -> Seen:
    """Read a topic from its beginning until it holds enough."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    seen: Seen = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not enough(seen):
                record = await consumer.getone()
                wire = dict(record.headers)["ce_type"].decode()
                if wire != "topic.started.v1":
                    seen.append((wire, json.loads(record.value)))
    except TimeoutError:
        pytest.fail(f"{topic} holds, after {PATIENCE_S} s, only {seen}")
    finally:
        await consumer.stop()
    return seen


# --------------------------------------------------------------------------------------------------------- the space


class Space:
    """A space on the broker, decided by a thread of this process."""

    def __init__(self, bootstrap: str, name: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.name = name
        self.keys = folder / "keys"
        self._space = new_space(name, PARTITIONS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(create(self.bootstrap, self.name, ("input", "inbox", "log", "output")))
        self._store, self._own = (
            KafkaStore(self.name, PARTITIONS, KafkaSettings(self.bootstrap)) for _ in ("deciding", "posting")
        )
        self._deciding = asyncio.run_coroutine_threadsafe(self._decide(), self._loop)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        try:
            self._deciding.result(PATIENCE_S)
        finally:
            self.call(self._own.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _decide(self) -> None:
        embedded = Embedded(self._space, self._store)
        try:
            while not self._ending.is_set():
                await embedded.settle()
                assert not embedded.stopped
                await asyncio.sleep(0.01)  # leaves some of the machine to the processes under test
        finally:
            await self._store.close()

    def call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * PATIENCE_S)

    def new_key(self, name: str, *streams: str, accounts: Sequence[str] = ()) -> Line:
        """Make a key pair as `adjudex key new` does, and return the line that registers it."""
        return registration(name, create_key(self.keys, name), streams, accounts)

    def decide(self, lines: Iterable[Line]) -> None:
        """Post lines and wait until all are decided."""
        keyring, posted = Keyring(self.keys), list(lines)
        records = [read_line(json.dumps(line).encode(), self._space, keyring).record for line in posted]
        self.call(self._own.append(records))
        wanted = {line["id"] for line in posted}
        outcomes = self.seen("input.outcomes", lambda seen: wanted <= {content["input_id"] for _, content in seen})
        fates = {content["input_id"]: content for _, content in outcomes if content["input_id"] in wanted}
        assert {content["fate"] for content in fates.values()} == {"decided"}, fates

    def seen(self, topic: str, enough: Callable[[Seen], bool]) -> Seen:
        """Wait until a topic holds enough."""
        return self.call(wait_for(self.bootstrap, f"{self.name}.{topic}", enough))


# ------------------------------------------------------------------------------------------------------ the programs


def command(name: str, bootstrap: str, space: str, *args: str | Path) -> list[str]:
    return [sys.executable, str(EXAMPLES / f"{name}.py"), "--kafka", bootstrap, "--space", space, *map(str, args)]


def environment(*path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADJUDEX_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(map(str, path))}


def run(
    bootstrap: str, space: str, name: str, *args: str | Path, feed: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(name, bootstrap, space, *args),
        input=feed, text=True, capture_output=True, timeout=PATIENCE_S, check=False, env=environment(), cwd=cwd,
    )  # fmt: skip


class Consumer:
    """A running payout consumer, in a folder of its own."""

    def __init__(self, bootstrap: str, space: str, folder: Path, *args: str, path: Path | None = None) -> None:
        self._said = (folder / "said.txt").open("ab")
        self.process = subprocess.Popen(
            command("payout_consumer", bootstrap, space, *args),
            cwd=folder, stdout=self._said, stderr=subprocess.STDOUT, env=environment(*([path] if path else [])),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._said.close()

    def end(self) -> int:
        """Ask it to end, and wait."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def unregistered(folder: Path) -> Path:
    create_key(folder, "nobody")
    return folder / "nobody.pem"


# ------------------------------------------------------------------------------------------- a space that decides all


@pytest.fixture(scope="module")
def space(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    with Space(bootstrap, new_prefix("examples"), tmp_path_factory.mktemp("space")) as running:
        keys = [
            running.new_key(BOT, "incident.reports"),
            running.new_key(GATEWAY, "claim.filings", "assessor.actions", accounts=["*"]),
            *(
                running.new_key(f"assessor-{number}", "assessor.votes", accounts=[account])
                for number, account in enumerate(ASSESSORS)
            ),
        ]
        running.decide([*world.market(), *keys])
        running.decide(world.stakes())
        yield running


def observation(product: str, value: int, **ago: float) -> str:
    return json.dumps({"product": product, "at": world.instant(**ago), "value_minor": str(value)})


def test_bot__reports_what_its_rule_finds_once_and_says_why_others_are_refused(space: Space, tmp_path: Path) -> None:
    key = space.keys / f"{BOT}.pem"
    file = tmp_path / "observations.jsonl"
    values = [(10**30, 3.0), (9 * 10**29, 2.5), (10**29, 2.0)]
    file.write_text("\n".join(observation("vault-b", value, hours=hours) for value, hours in values), encoding="utf-8")

    first = run(space.bootstrap, space.name, "incident_bot", "--key", key, "--observations", file, "--json")
    assert first.returncode == 0, first.stderr
    (outcome,) = map(json.loads, first.stdout.splitlines())
    assert (outcome["fate"], outcome["events"]) == ("decided", ["incident.opened.v1"])

    again = run(space.bootstrap, space.name, "incident_bot", "--key", key, "--observations", file)
    assert (again.returncode, again.stdout.split(":")[1]) == (0, " duplicate"), again.stdout + again.stderr

    report = {"product": "vault-b", "reference": "r", "occurred_at": world.instant(hours=1), "summary": "gone"}
    stranger = unregistered(tmp_path)
    unknown = run(
        space.bootstrap, space.name, "incident_bot", "--key", stranger, feed=f"{json.dumps(report)}\nnot json\n"
    )
    assert unknown.returncode == 1
    assert "refused: proof.principal-unknown\n  value     nobody\n  accepted  " in unknown.stdout
    assert "passed over b'not json" in unknown.stderr

    forged = run(space.bootstrap, space.name, "incident_bot", "--key", stranger, "--as", BOT, feed=json.dumps(report))
    assert (forged.returncode, "refused: proof.forged" in forged.stdout) == (1, True), forged.stdout


def test_no_answer__sent_again_and_given_up_with_a_readable_line(bootstrap: str, tmp_path: Path) -> None:
    deaf = new_prefix("deaf")
    asyncio.run(create(bootstrap, deaf, ("input", "output")))
    report = {"product": "vault-a", "reference": "r", "occurred_at": world.instant(hours=1), "summary": "gone"}
    args = ("--key", unregistered(tmp_path), "--timeout", "0.2", "--tries", "3")
    ended = run(bootstrap, deaf, "incident_bot", *args, feed=json.dumps(report))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "incident_bot.py: report-r: no answer in 3 × 0.2 s; it may be sent again as it is\n"
    sent = asyncio.run(wait_for(bootstrap, f"{deaf}.incident.reports", lambda seen: len(seen) == 3))
    assert [content for _, content in sent] == [report] * 3


def test_wrong_space__readable_line(bootstrap: str, tmp_path: Path) -> None:
    programs: dict[str, tuple[list[str | Path], str]] = {
        "incident_bot": (["--key", unregistered(tmp_path)], "none.input.outcomes"),
        "assessor": (["--account", HOLDER], "none.adjudication.events, none.claims.events"),
        "payout_consumer": ([], "none.payout.instructions, none.payout.receipts"),
    }
    for name, (args, topics) in programs.items():
        ended = run(bootstrap, "none", name, *args)
        wrong = f"{name}.py: no topic {topics}, or no right to see it; is the space's name right?\n"
        assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", wrong)


def test_claim__reported_voted_on_and_paid_by_outsiders(space: Space, tmp_path: Path) -> None:
    incident = {"product": "vault-a", "reference": "r-1", "occurred_at": world.instant(hours=2), "summary": "drained"}
    reported = run(
        space.bootstrap, space.name, "incident_bot", "--key", space.keys / f"{BOT}.pem", feed=json.dumps(incident)
    )
    assert reported.returncode == 0, reported.stdout + reported.stderr
    document = {"sha256": "00" * 32, "media_type": "text/plain", "size_bytes": 1, "description": "balance"}
    covers = [world.register("c-1"), world.register("c-2")]
    space.decide(covers)
    space.seen("claims.events", lambda seen: any(is_confirmed(wire, content, "vault-a/1") for wire, content in seen))
    space.decide([world.file("c-1", "vault-a/1", evidence=[document]), world.file("c-2", "vault-a/1")])

    keys = {account: space.keys / f"assessor-{number}.pem" for number, account in enumerate(ASSESSORS)}
    first, second, third = ASSESSORS
    voting = ("--clause", "4.1", "--wait", "30")
    evident = run(
        space.bootstrap,
        space.name,
        "assessor",
        "--account",
        first,
        "--key",
        keys[first],
        "--accept-if-evidence",
        *voting,
    )
    assert evident.returncode == 0, evident.stdout + evident.stderr
    assert evident.stdout.startswith("vote-claim/c-1/1-round-1-1: decided: vote.counted.v1")
    listed = run(space.bootstrap, space.name, "assessor", "--account", first)
    assert [line.split(", closes ")[0] for line in listed.stdout.splitlines()] == [
        "claim/c-1/1: 100000, 1 documents",
        "claim/c-2/1: 100000, 0 documents",
    ], listed.stdout + listed.stderr
    assert [line.rpartition("; ")[2] for line in listed.stdout.splitlines()] == [
        "you: voted accept",
        "you: voted nothing yet",
    ]
    repeated = run(
        space.bootstrap,
        space.name,
        "assessor",
        "--account",
        first,
        "--key",
        keys[first],
        "--accept-if-evidence",
        *voting,
    )
    assert "claim/c-1/1: not voted: you voted accept" in repeated.stdout
    case = ("--case", "claim/c-1/1", "--choice", "accept", *voting)
    others = run(space.bootstrap, space.name, "assessor", "--account", second, "--key", keys[first], *case)
    assert (others.returncode, "refused: principal.account-not-allowed" in others.stdout) == (1, True), others.stdout
    for account in (second, third):
        voted = run(space.bootstrap, space.name, "assessor", "--account", account, "--key", keys[account], *case)
        assert voted.returncode == 0, voted.stdout + voted.stderr

    with Consumer(space.bootstrap, space.name, tmp_path, "--fail-first", "1") as consumer:
        space.seen("claims.events", lambda seen: any(wire == "claim.paid.v1" for wire, _ in seen))
        assert consumer.end() == 0
    (transfer,) = json_lines(tmp_path / "ledger.jsonl")
    assert (transfer["reference"], transfer["attempt"], transfer["recipient"]) == ("c-1/1/1", 2, HOLDER)
    assert not (tmp_path / "dead-letters.jsonl").exists()


def is_confirmed(wire: str, content: dict[str, Any], incident: str) -> bool:
    return wire == "fact.noted.v1" and incident in content["fact_json"] and "confirmed" in content["fact_json"]


# ------------------------------------------------------------------------------------------- the payout consumer alone

BANK = """
import os, signal
from payout_book import Ledger

class Killed(Ledger):
    '''Pays, and is killed before anybody knows; the next time it is not asked again.'''

    def pay(self, instruction):
        transaction = super().pay(instruction)
        if instruction["reference"] == "c-1/1/1":
            os.kill(os.getpid(), signal.SIGKILL)
        return transaction

class Unreachable(Killed):
    '''Pays, and does not hear the answer.'''

    def pay(self, instruction):
        transaction = Ledger.pay(self, instruction)
        if instruction["reference"] == "c-1/1/1":
            raise ConnectionError("the answer was lost")
        return transaction
"""


def instruction(reference: str, attempt: int) -> dict[str, Any]:
    return {
        "reference": reference,
        "attempt": attempt,
        "claim": reference.rpartition("/")[0],
        "cover": reference.partition("/")[0],
        "asset": world.ASSET,
        "recipient": HOLDER,
        "amount_minor": "100000",
        "arithmetic": [],
    }


async def instruct(bootstrap: str, space: str, values: Iterable[dict[str, Any] | bytes]) -> None:
    """Write instructions as the relay does, all to one partition."""
    async with producing(bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(
                f"{space}.payout.instructions",
                value if isinstance(value, bytes) else json.dumps(value).encode(),
                b"payout/c-1/1/1",
                0,
                headers=[("ce_type", b"payout.instruction.v1"), ("ce_id", b"i"), ("ce_specversion", b"1.0")],
            )


@pytest.mark.parametrize(("bank", "status"), [("Killed", -signal.SIGKILL), ("Unreachable", 1)])
def test_payout_consumer__ended_between_paying_and_acknowledging_pays_once(
    bank: str, status: int, bootstrap: str, tmp_path: Path
) -> None:
    space = new_prefix("killed")
    (tmp_path / "banks.py").write_text(BANK, encoding="utf-8")
    asyncio.run(create(bootstrap, space, ("input", "output")))
    asyncio.run(instruct(bootstrap, space, [instruction("c-1/1/1", 1)]))
    args = ("--bank", f"banks:{bank}")
    with Consumer(bootstrap, space, tmp_path, *args, path=tmp_path) as consumer:
        assert consumer.process.wait(PATIENCE_S) == status
    assert len(json_lines(tmp_path / "ledger.jsonl")) == 1
    # A repeat, what nobody can read, an attempt although the first one paid, one whose first was never seen, and more.
    repeated, second, unseen = instruction("c-1/1/1", 1), instruction("c-1/1/1", 2), instruction("c-2/1/1", 3)
    later: list[dict[str, Any] | bytes] = [repeated, b"Dear Sirs", second, unseen, instruction("c-3/1/1", 1)]
    asyncio.run(instruct(bootstrap, space, later))
    with Consumer(bootstrap, space, tmp_path, *args, path=tmp_path) as consumer:
        last = functools.partial(confirms, payout="c-3/1/1")
        sent = asyncio.run(wait_for(bootstrap, f"{space}.payout.receipts", lambda seen: any(map(last, seen))))
        assert consumer.end() == 0
    paid = json_lines(tmp_path / "ledger.jsonl")
    assert [transfer["reference"] for transfer in paid] == ["c-1/1/1", "c-3/1/1"]
    confirmed = [content for wire, content in sent if confirms((wire, content), "c-1/1/1")]
    assert {(content["attempt"], content["transaction"]) for content in confirmed} == {(1, paid[0]["transaction"])}
    dead = json_lines(tmp_path / "dead-letters.jsonl")
    reasons = [(letter["offset"], letter["reason"].partition(":")[0]) for letter in dead]
    assert reasons == [(3, "no JSON"), (5, "attempt 3, but attempt 2 is not known to have failed")]
    assert bytes.fromhex(dead[0]["value_hex"]) == b"Dear Sirs"


def confirms(seen: tuple[str, dict[str, Any]], payout: str) -> bool:
    return seen[0] == "receipt.confirmed.v1" and seen[1]["payout"] == payout


def test_second_payout_consumer_on_one_state__refused(bootstrap: str, tmp_path: Path) -> None:
    space = new_prefix("twice")
    asyncio.run(create(bootstrap, space, ("input", "output")))
    asyncio.run(instruct(bootstrap, space, [instruction("c-1/1/1", 1)]))
    with Consumer(bootstrap, space, tmp_path):
        asyncio.run(wait_for(bootstrap, f"{space}.payout.receipts", bool))
        second = run(bootstrap, space, "payout_consumer", cwd=tmp_path)
    assert (second.returncode, second.stderr) == (2, "payout_consumer.py: database is locked\n")


def test_examples__import_nothing_of_ours() -> None:
    for file in EXAMPLES.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {name.partition(".")[0] for name in names} & {"schemas", "services", "tests", "tools"}, file
