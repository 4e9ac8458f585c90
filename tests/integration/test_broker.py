"""The throwaway Kafka of tools/broker.py is a real one: it keeps what it acknowledged, and goes when it should."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tools.broker import ROOT, Cluster, NotStarted, Ports, answers, java_tool

TOPIC = "test.topic"
LOGIN = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512"}


def login(name: str, password: str) -> dict[str, str]:
    return {**LOGIN, "sasl_plain_username": name, "sasl_plain_password": password}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(folder=tmp_path) as cluster:
        yield cluster


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(3, folder=tmp_path) as cluster:
        yield cluster


async def create(bootstrap: str, copies: int, **settings: str) -> int:
    """Create the topic and return which node leads it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **settings)
    try:
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC, 1, copies)])
        while True:  # a fresh topic is unknown for a moment
            [topic] = await admin.describe_topics([TOPIC])
            for partition in topic["partitions"]:
                if partition["leader"] in range(1, copies + 1):
                    return int(partition["leader"])
    finally:
        await admin.close()


async def produce(bootstrap: str, *values: bytes, **settings: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, **settings)
    try:
        await producer.start()
        for value in values:
            await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()


async def consume(bootstrap: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await consumer.start()
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


def test_killed_node__restarts_with_what_it_acknowledged(one: Cluster) -> None:
    bootstrap = one.bootstrap
    asyncio.run(create(bootstrap, 1))
    asyncio.run(produce(bootstrap, b"before"))
    one.kill()
    assert one.pid() is None
    one.restart()
    assert one.bootstrap == bootstrap
    asyncio.run(produce(bootstrap, b"after"))
    assert asyncio.run(consume(bootstrap, 2)) == [b"before", b"after"]


def test_one_of_three_killed__still_written_by_acks_all(three: Cluster) -> None:
    leader = asyncio.run(create(three.bootstrap, 3))
    asyncio.run(produce(three.bootstrap, b"of three"))
    three.kill(leader)
    asyncio.run(produce(three.bootstrap, b"of two"))
    three.restart(leader)
    assert asyncio.run(consume(three.bootstrap, 2)) == [b"of three", b"of two"]


def test_users__do_what_access_lists_allow(tmp_path: Path) -> None:
    with Cluster(users={"admin": "all-of-it", "writer": "some-of-it"}, folder=tmp_path) as cluster:
        asyncio.run(create(cluster.bootstrap, 1, **login("admin", "all-of-it")))
        client = tmp_path / "client.properties"
        client.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common."
            'security.scram.ScramLoginModule required username="admin" password="all-of-it";\n'
        )
        with pytest.raises(Exception, match="AuthorizationFailed"):
            asyncio.run(produce(cluster.bootstrap, b"no", **login("writer", "some-of-it")))
        command = java_tool(
            *("org.apache.kafka.tools.AclCommand", "--bootstrap-server", cluster.bootstrap),
            *("--command-config", str(client), "--add", "--allow-principal", "User:writer", "--topic", TOPIC),
            *("--operation", "Write"),
        )
        subprocess.run(command, check=True, capture_output=True)
        asyncio.run(produce(cluster.bootstrap, b"yes", **login("writer", "some-of-it")))


def test_start_that_fails__says_what_the_broker_said(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"no\.such\.Authorizer"):
        Cluster(settings={"authorizer.class.name": "no.such.Authorizer"}, folder=tmp_path).start()
    assert not any(tmp_path.iterdir())


def test_ports__are_given_to_one_at_a_time() -> None:
    mine, others = Ports(), Ports()
    port = mine.take()
    assert port < 32_768
    with pytest.raises(NotStarted, match="in use"):
        others.take(port)
    mine.release()
    assert others.take(port) == port
    others.release()


def test_command__runs_beside_a_broker_and_gives_the_status(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; print(os.environ['ADJUDEX_KAFKA']); raise SystemExit(7)"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.broker", "--", *command],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 7
    host, port = done.stdout.strip().split(":")
    assert host == "127.0.0.1"
    assert not answers(int(port))
    assert not list(tmp_path.glob("adjudex-kafka-*"))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_broker_of_an_ended_parent__ends_and_leaves_nothing(end: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.broker"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().strip().split(":")[1])
        assert answers(port)
        parent.send_signal(end)
        assert parent.wait() == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    while answers(port) or list(tmp_path.glob("adjudex-kafka-*")):
        time.sleep(0.02)
