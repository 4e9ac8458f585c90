"""Other people's clients read and write the topics as docs/wire.md says: kcat, Java's console, Confluent's."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from services.cli.data import DataDirectory
from services.kernel.partitioner import partition_of
from tests.integration.kafka.conftest import NewData
from tests.integration.kafka.filling import fill
from tests.integration.world import ASSET, SCOPE, rulebook
from tests.support.command import adjudex, answers
from tools.broker import java_tool

PATIENCE_S = 60
KEY = f"scope/{SCOPE}"
HOME, OTHER = partition_of(KEY, 2), 1 - partition_of(KEY, 2)
TYPE = "stake.set-terms.v1"
TERMS = {"asset": ASSET, "notice": "1d", "payout": rulebook()["claim"]["payout"]}


def headers(identifier: str) -> dict[str, str]:
    """What the wire form asks of an input on an owned stream."""
    return {"ce_specversion": "1.0", "ce_id": identifier, "ce_source": "/outside", "ce_type": TYPE}


def value(number: int) -> bytes:
    """Write an act of governance as an outsider would: not canonical, with white space."""
    return json.dumps({**TERMS, "scope": SCOPE, "stake_min_minor": str(1_000 + number)}).encode()


def name_of(data: Path) -> str:
    return DataDirectory(data).space().name


def told(data: Path, identifier: str) -> list[dict[str, Any]]:
    """Tell what the space says became of an input."""
    shown = adjudex("log", "show", identifier, "--data", data, "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    return answers(shown.stdout)


def fates(data: Path, identifier: str) -> list[str]:
    """List what became of the public records with an id."""
    return [entry["fate"]["fate"] for entry in told(data, identifier) if entry["kind"] == "input"]


def effects(data: Path, identifier: str) -> int:
    """Count the terms that an input led to, wherever it was decided."""
    return sum(entry.get("type") == "stake.terms-set.v1" for entry in told(data, identifier))


def run(command: list[str], given: bytes = b"") -> bytes:
    """Run another program to its end and return what it prints."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is missing: `make test` installs it where it may; else install it")
    ended = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def kcat(*arguments: str, given: bytes = b"") -> bytes:
    """Run kcat with the settings that docs/kafka.md gives for librdkafka."""
    return run(["kcat", "-b", os.environ["ADJUDEX_KAFKA"], *arguments], given)


def kcat_headers(identifier: str) -> list[str]:
    return [word for name, text in headers(identifier).items() for word in ("-H", f"{name}={text}")]


def test_kcat_writes_an_input_and_reads_what_became_of_it(new_data: NewData) -> None:
    data = new_data()
    topic = f"{name_of(data)}.governance.actions"
    partitioner = ("-X", "topic.partitioner=murmur2_random")
    kcat("-P", "-t", topic, "-k", KEY, *partitioner, *kcat_headers("by-kcat"), given=value(0))
    fill(data)
    assert fates(data, "by-kcat") == ["decided"]
    read = kcat("-C", "-t", f"{name_of(data)}.input.outcomes", "-e", "-q", "-f", "%p %k %h %s\n").decode().splitlines()
    (line,) = [line for line in read if "by-kcat" in line]
    partition, key, held, content = line.split(" ", 3)
    assert (int(partition), key) == (HOME, KEY)
    assert "ce_type=input.outcome.v1" in held.split(",")
    assert json.loads(content)["fate"] == "decided"


def test_a_partitioner_of_another_kind__its_record_finds_its_owner(new_data: NewData) -> None:
    data = new_data()
    # What librdkafka's own partitioner (CRC32) would choose is a matter of luck: so the other one is asked for.
    kcat("-P", "-t", f"{name_of(data)}.governance.actions", "-k", KEY, "-p", str(OTHER), *kcat_headers("astray"),
         given=value(1))  # fmt: skip
    fill(data)
    assert fates(data, "astray") == ["forwarded"]
    assert effects(data, "astray") == 1


def test_confluents_client_with_its_default_partitioner__every_record_is_decided_once(new_data: NewData) -> None:
    data = new_data()
    topic = f"{name_of(data)}.governance.actions"
    producer = confluent_kafka.Producer({"bootstrap.servers": os.environ["ADJUDEX_KAFKA"], "linger.ms": 0})
    placed: list[int] = []

    def delivered(error: object, message: Any) -> None:  # noqa: ANN401 - the library's own
        assert error is None
        placed.append(message.partition())

    for number in range(3):
        held: Any = list(headers(f"confluent-{number}").items())
        producer.produce(topic, value(number), KEY.encode(), headers=held, on_delivery=delivered)
    # Without a key it goes anywhere.
    held = list(headers("no-key").items())
    producer.produce(topic, value(3), headers=held, on_delivery=delivered)
    assert producer.flush(PATIENCE_S) == 0
    assert len(placed) == 4
    fill(data)
    for identifier in ("confluent-0", "confluent-1", "confluent-2"):
        assert effects(data, identifier) == 1, identifier
    assert effects(data, "no-key") == 1


def test_confluents_client_reads_outcomes_with_default_settings_and_logs_committed(new_data: NewData) -> None:
    data = new_data()
    space = name_of(data)
    kcat("-P", "-t", f"{space}.governance.actions", "-k", KEY, "-p", str(HOME), *kcat_headers("one"), given=value(2))
    fill(data)
    outcomes = consume(f"{space}.input.outcomes", 1)
    assert [json.loads(message.value())["input_id"] for message in outcomes] == ["one"]
    events = consume(f"{space}.governance.events", 1, **{"isolation.level": "read_committed"})
    (held,) = [message for message in events if dict(message.headers())["ce_type"] == b"stake.terms-set.v1"]
    assert held.key() == KEY.encode()
    assert dict(held.headers())["ce_causationid"] == b"one"


def consume(topic: str, count: int, **more: str) -> list[Any]:
    """Read a topic of two partitions until both are at their end; markers and releases are left out."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": os.environ["ADJUDEX_KAFKA"],
            "group.id": f"{topic}.reader",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            **more,
        }
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    try:
        ended: set[int] = set()
        while len(ended) < 2 or len(found) < count:
            message: Any = consumer.poll(PATIENCE_S)
            assert message is not None, f"{topic}: {len(found)} of {count} after {PATIENCE_S} s"
            if message.error() is None:
                if dict(message.headers())["ce_type"] not in {b"topic.started.v1", b"release.started.v1"}:
                    found.append(message)
            else:
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                ended.add(message.partition())
    finally:
        consumer.close()
    return found


def test_javas_console_consumer_reads_outcomes__and_its_producer_writes_inputs(new_data: NewData) -> None:
    data = new_data()
    space, bootstrap = name_of(data), os.environ["ADJUDEX_KAFKA"]
    spelled = ",".join(f"{name}:{text}" for name, text in headers("by-java").items())
    run(
        java_tool(
            "org.apache.kafka.tools.ConsoleProducer",
            *("--bootstrap-server", bootstrap, "--topic", f"{space}.governance.actions"),
            *("--property", "parse.headers=true", "--property", "parse.key=true"),
            *("--property", "headers.delimiter=|", "--property", "key.separator=|"),
        ),
        f"{spelled}|{KEY}|".encode() + value(0) + b"\n",
    )
    fill(data)
    assert fates(data, "by-java") == ["decided"]
    read = run(
        java_tool(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            *("--bootstrap-server", bootstrap, "--topic", f"{space}.input.outcomes", "--from-beginning"),
            *("--property", "print.key=true", "--property", "print.headers=true", "--max-messages", "3"),
        )
    ).decode()
    (line,) = [line for line in read.splitlines() if "by-java" in line]
    held, key, content = line.split("\t")
    assert key == KEY
    assert "ce_type:input.outcome.v1" in held.split(",")
    assert json.loads(content)["fate"] == "decided"


def test_a_header_name_that_is_no_text__is_set_aside_and_stops_nobody(new_data: NewData, tmp_path: Path) -> None:
    data = new_data()
    topic = f"{name_of(data)}.governance.actions"
    bad = [
        "kcat",
        "-P",
        "-b",
        os.environ["ADJUDEX_KAFKA"],
        "-t",
        topic,
        "-p",
        str(HOME),
        "-k",
        KEY,
        *kcat_headers("bad"),
    ]
    # The command line is where a name can hold any byte.
    subprocess.run([*bad, "-H", b"\xff\xfe=1"], input=value(0), check=True, timeout=PATIENCE_S)
    kcat("-P", "-t", topic, "-k", KEY, "-p", str(HOME), *kcat_headers("good"), given=value(1))
    fill(data)
    assert fates(data, "good") == ["decided"]
    listed = adjudex("set-aside", "list", "--data", data, "--json")
    (aside,) = answers(listed.stdout)
    assert (aside["cause"], "\\udcff\\udcfe" in aside["reason"]) == ("header-not-text", True)
    file = tmp_path / "export.jsonl"
    assert adjudex("log", "export", "--data", data, "--to", file).returncode == 0
    assert adjudex("log", "verify", file).returncode == 0
    assert '{"base64":"//4="}' in file.read_text()
