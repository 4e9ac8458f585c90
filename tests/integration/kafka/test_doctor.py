"""What the doctor finds on a cluster, and what it says to do."""

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.cli.data import DataDirectory
from services.kernel.kafka import clients
from services.kernel.kafka.admin import Administrator
from tests.integration.kafka.conftest import NewData
from tests.integration.kafka.filling import administer, fill, settings
from tests.support.command import adjudex
from tests.unit.cli.spaces import LINES

CHECKS = [
    "python", "libraries", "data", "cluster", "brokers", "rights", "clock", "topics", "unknown", "copies", "markers",
    "stamps", "open", "undecided", "stopped", "services",
]  # fmt: skip
Found = dict[str, list[dict[str, Any]]]


def examined(data: Path, code: int = 0, *options: str) -> Found:
    ended = adjudex("doctor", "--data", data, "--json", *options)
    assert ended.returncode == code, ended.stdout + ended.stderr
    found: Found = defaultdict(list)
    for check in json.loads(ended.stdout)["checks"]:
        assert bool(check["todo"]) is (check["status"] != "ok"), check
        found[check["name"]].append(check)
    return found


def name_of(data: Path) -> str:
    return DataDirectory(data).space().name


def test_new_space__nothing_fails(new_data: NewData) -> None:
    data = new_data()
    found = examined(data)
    assert list(found) == CHECKS
    warned = {name for name, checks in found.items() if any(check["status"] != "ok" for check in checks)}
    assert warned == {"rights", "copies", "services"}
    assert "1 broker: 127.0.0.1:" in found["cluster"][0]["what"]
    assert "Kafka 4." in found["cluster"][0]["what"]
    assert found["stopped"][0]["what"] == "none of 14 partitions"
    assert [check["what"] for check in found["services"]][-2:] == ["relay: nobody runs it", "views: nobody runs it"]


def test_topics_that_are_not_as_they_must_be__named_with_the_command(new_data: NewData) -> None:
    data = new_data()
    space = name_of(data)

    async def spoil(cluster: Administrator) -> None:
        await cluster.set(f"{space}.claims.events", {"retention.ms": "86400000"})
        await cluster.set(f"{space}.claim.filings", {"compression.type": "producer"})
        await cluster.create({f"{space}.typo": {}}, 1, 1)
        await cluster._client.delete_topics([f"{space}.payouts.inbox"])
        while f"{space}.payouts.inbox" in await cluster.topics(space):
            pass

    administer(spoil)
    found = examined(data, 1)
    said = {check["what"]: check["status"] for check in found["topics"]}
    assert said == {
        f"missing: {space}.payouts.inbox": "fail",
        f"{space}.claims.events: retention.ms is 86400000, must be -1": "fail",
        f"{space}.claim.filings: compression.type is producer, must be uncompressed": "warn",
    }
    assert {check["command"] for check in found["topics"]} == {f"adjudex topics apply --data {data}"}
    assert found["unknown"][0]["what"] == f"nothing of this release uses {space}.typo"
    assert found["markers"][0]["status"] == "fail"
    assert adjudex("topics", "apply", "--data", data).returncode == 0
    assert found["unknown"] == examined(data)["unknown"]


def test_undecided_inputs__warned_of_until_they_are_decided(new_data: NewData) -> None:
    data = new_data()
    fill(data, LINES, decide=False)
    checks = examined(data)["undecided"]
    assert sum(int(check["what"].split()[1]) for check in checks) == len(LINES)
    assert {check["todo"] for check in checks} == {
        f"`adjudex run {name}` decides them" for name in ("governance", "claims", "payouts")
    }
    fill(data)
    assert [check["what"] for check in examined(data)["undecided"]] == ["every input is decided"]


@contextmanager
def beside(work: Callable[[], AbstractAsyncContextManager[None]]) -> Iterator[None]:
    """Keep something open in a loop of its own, while commands run theirs here."""
    ready, done = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def hold() -> None:
        async with work():
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(hold()))
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def test_open_transaction_of_somebody_else__is_found(new_data: NewData) -> None:
    data = new_data()
    topic = f"{name_of(data)}.claim.filings"

    @asynccontextmanager
    async def transaction() -> AsyncIterator[None]:
        producer = clients.transactional_producer(settings(), f"{topic}-somebody")
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"open", partition=1)
        yield
        await producer.abort_transaction()
        await producer.stop()

    with beside(transaction):
        (check,) = examined(data)["open"]
        assert check["what"] == f"a transaction is open: {topic}/1 at 1 of 2"
    assert examined(data)["open"][0]["status"] == "ok"


@pytest.mark.parametrize("service", ["claims", "views"])
def test_members__are_named_by_service(new_data: NewData, service: str) -> None:
    data = new_data()
    space = name_of(data)

    @asynccontextmanager
    async def membership() -> AsyncIterator[None]:
        member = clients.member(settings(), f"{space}.{service}", None, session_ms=6_000, heartbeat_ms=1_500)
        member.subscribe([f"{space}.claims.events"])
        await member.start()
        yield
        await member.stop()

    with beside(membership):
        said = [check["what"] for check in examined(data)["services"] if check["status"] == "ok"]
    assert len(said) == 1
    assert said[0].startswith(f"{service}: 1 running: adjudex/")


def test_cluster_that_does_not_answer__fails(new_data: NewData) -> None:
    found = examined(new_data(), 1, "--kafka", "127.0.0.1:1")
    assert list(found) == ["python", "libraries", "data", "cluster"]
    assert "connecting to 127.0.0.1:1" in found["cluster"][0]["what"]


@pytest.mark.parametrize(("setting", "value", "said"), [("transaction.max.timeout.ms", "900000", "15m")])
def test_broker_that_lets_transactions_stay_open__warned_of_with_the_reason(
    setting: str, value: str, said: str, new_data: NewData, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Administrator.broker_settings

    async def told(self: Administrator, names: Iterable[str]) -> dict[int, dict[str, str]]:
        return {number: {**held, setting: value} for number, held in (await asked(self, names)).items()}

    monkeypatch.setattr(Administrator, "broker_settings", told)
    (check,) = examined(new_data())["brokers"]
    assert f"lets a transaction stay open for {said}" in check["what"]
    assert "keeps everybody from reading on" in check["what"]
