"""On a cluster that checks rights, each has exactly those that it needs."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Outgoing
from services.cli.data import DataDirectory, open_kafka
from services.embedded import Embedded
from services.kernel.kafka.admin import Acl, Administrator
from services.kernel.kafka.clients import AuthorizationError
from services.kernel.kafka.settings import KafkaSettings
from services.process.shell import STOPPED_LATE
from services.registry import RUNNABLE
from tests.integration.kafka.filling import opened_by, outgoing, settle
from tests.integration.kafka.serving import PASSWORD, PATIENCE_S, login, page, ready, running
from tests.support.command import adjudex
from tests.unit.cli.spaces import LINES, TERMS
from tools.broker import Cluster

USERS = ("admin", *RUNNABLE, "root", "treasury", "bot", "explorer", "ada")
OUTSIDE = ("--producer", "bot=claim.filings", "--reader", "explorer", "--auditor", "ada")


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with Cluster(users=dict.fromkeys(USERS, PASSWORD)) as cluster:
        yield cluster.bootstrap


def settings(bootstrap: str, user: str) -> KafkaSettings:
    return KafkaSettings.from_environment(environment=login(bootstrap, user))


def apply(data: Path, bootstrap: str, *options: str) -> dict[str, Any]:
    ended = adjudex("topics", "apply", "--data", data, "--json", *options, environment=login(bootstrap, "admin"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module")
def space(guarded: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("rights") / "space"
    made = apply(data, guarded, "--space", "main", "--partitions", "2", "--acls", *OUTSIDE)
    assert any(
        done.startswith("allowed User:claims to write transactional-id main.claims.events-*") for done in made["done"]
    )
    assert apply(data, guarded, "--acls", *OUTSIDE)["done"] == []
    return data


async def append(data: Path, by: KafkaSettings, record: Outgoing) -> None:
    store = open_kafka(DataDirectory(data).space(), by)
    store._lives = dict.fromkeys([(record.topic, record.partition)], "")
    try:
        await store.append([record])
    finally:
        await store.close()


def test_services_with_their_rights__decide_and_publish_and_an_auditor_verifies(space: Path, guarded: str) -> None:
    async def run() -> Embedded:
        described = DataDirectory(space).space()
        for line in LINES:
            record = outgoing(space, line)
            user = {"governance.actions": "root", "payout.receipts": "treasury"}.get(record.topic, "bot")
            await append(space, settings(guarded, user), record)
        async with opened_by(described, lambda user: settings(guarded, user)) as embedded:
            await settle(embedded)
            return embedded

    embedded = asyncio.run(run())
    ended = adjudex("log", "verify", "--data", space, "--json", environment=login(guarded, "ada"))
    report = json.loads(ended.stdout)
    assert (report["findings"], report["log_hash"], report["published"]) == ([], embedded.log_hash(), len(LINES))


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("bot", "claims.events"),
        ("bot", "governance.actions"),
        ("explorer", "claim.filings"),
        ("claims", "payouts.events"),
    ],
)
def test_who_may_not_write__is_refused(user: str, topic: str, space: Path, guarded: str) -> None:
    record = outgoing(space, TERMS)._replace(topic=topic)
    with pytest.raises(AuthorizationError, match="topics apply --acls"):
        asyncio.run(append(space, settings(guarded, user), record))


def test_outsider__cannot_fence_a_service(space: Path, guarded: str) -> None:
    async def claim() -> None:
        store = open_kafka(DataDirectory(space).space(), settings(guarded, "bot"))
        try:
            await store.claim("claims.events", 0)
        finally:
            await store.close()

    with pytest.raises(AuthorizationError):
        asyncio.run(claim())


def test_doctor__finds_who_may_write_what_another_owns(space: Path, guarded: str) -> None:
    def rights() -> dict[str, str]:
        checks = json.loads(adjudex("doctor", "--data", space, "--json", environment=login(guarded, "admin")).stdout)[
            "checks"
        ]
        (found,) = (check for check in checks if check["name"] == "rights")
        held: dict[str, str] = found
        return held

    assert rights()["status"] == "ok"

    async def grant() -> None:
        async with Administrator(settings(guarded, "admin")) as cluster:
            await cluster.allow([Acl("User:bot", "write", "topic", "prefixed", "main.claims.")])

    asyncio.run(grant())
    assert (rights()["status"], rights()["what"]) == ("fail", "User:bot may write main.claims.events")
    planned = adjudex("topics", "plan", "--data", space, "--acls", *OUTSIDE, environment=login(guarded, "admin"))
    assert "unknown  User:bot to write topic main.claims.*" in planned.stdout.splitlines()


def test_wrong_password__says_that_nobody_is_let_in(space: Path, guarded: str) -> None:
    environment = {**login(guarded, "ada"), "ADJUDEX_KAFKA_PASSWORD": "wrong"}
    ended = adjudex("log", "verify", "--data", space, environment=environment)
    assert ended.returncode == 1
    assert "connecting to" in ended.stderr


@pytest.mark.parametrize("service", ["claims", "views"])
def test_process_with_its_rights__gets_ready_and_leaves_in_order(service: str, space: Path, guarded: str) -> None:
    with running(service, space, login(guarded, service)) as (process, url):
        assert page(f"{url}/live") == (200, '{"live":true}')
        assert ready(url) == {"ready": True, "service": service, "partitions": [0, 1], "waits_for": {}}
        assert f'adjudex_partition_ready{{partition="1",service="{service}"}} 1.0' in page(f"{url}/metrics")[1]
        process.terminate()
        # In order, or by its own deadline where the machine is too loaded for that: slow is not wrong.
        assert process.wait(PATIENCE_S) in {0, STOPPED_LATE}


def test_process_without_a_right__ends_and_says_which(space: Path, guarded: str) -> None:
    with running("claims", space, login(guarded, "bot")) as (process, _):
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert "topics plan --acls" in said
        assert "main.claims" in said
