"""Topics of a space are planned, made, mended and never deleted; rights are the least that each needs."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import TOPICS, settings
from services.cli.data import DataDirectory
from services.kernel.kafka.admin import Administrator
from services.kernel.markers import marker
from tests.integration.kafka.conftest import NewData
from tests.integration.kafka.filling import administer
from tests.support.command import adjudex
from tests.support.kafka import new_prefix
from tests.unit.cli.spaces import new_data as embedded_data

HALF = 1


def told(command: str, data: Path, *options: str, code: int = 0) -> dict[str, Any]:
    ended = adjudex("topics", command, "--data", data, "--json", *options)
    assert ended.returncode == code, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def refused(command: str, data: Path, *options: str) -> str:
    ended = adjudex("topics", command, "--data", data, *options)
    assert ended.returncode == 1
    return ended.stderr


def statuses(data: Path, code: int = 0) -> dict[str, str]:
    planned = told("plan", data, code=code)
    prefix = f"{planned['space']}."
    return {topic["topic"].removeprefix(prefix): topic["status"] for topic in planned["topics"]}


def name_of(data: Path) -> str:
    return DataDirectory(data).space().name


def test_plan__says_what_apply_does_and_does_nothing(tmp_path: Path) -> None:
    data, space = tmp_path / "space", ("--space", new_prefix(), "--partitions", "2")
    for _ in range(2):
        planned = told("plan", data, *space)
        assert [topic["status"] for topic in planned["topics"]] == ["create"] * len(TOPICS)
        assert (planned["described"], planned["done"], planned["replication"]) == (False, False, 1)
    assert not data.exists()
    said = adjudex("topics", "plan", "--data", data, *space).stdout.splitlines()
    assert said[0] == f"create   {data}/space.json"
    assert said[1] == f"create   {space[1]}.governance.actions  2 partitions, 1 copies of each"


def test_apply__makes_everything_once(new_data: NewData) -> None:
    data = new_data()
    assert told("apply", data)["done"] == []
    assert adjudex("topics", "apply", "--data", data).stdout == "nothing to do\n"
    planned = told("plan", data)
    assert planned["done"]
    assert {topic["partitions"] for topic in planned["topics"]} == {2}
    assert len({topic["incarnation"] for topic in planned["topics"]}) == len(TOPICS)
    prefix = f"{name_of(data)}."
    names = sorted(settings("log", 1))
    held = administer(lambda cluster: cluster.topics(prefix, names))
    assert {name: state.settings for name, state in held.items()} == {
        f"{prefix}{topic.name}": settings(topic.kind, 1) for topic in TOPICS
    }


def test_setting_that_differs__is_named_and_set_and_no_other(new_data: NewData) -> None:
    data = new_data()
    topic = f"{name_of(data)}.claims.events"
    administer(lambda cluster: cluster.set(topic, {"retention.ms": "86400000", "segment.bytes": "2000000"}))
    planned = told("plan", data)
    differing = [held for held in planned["topics"] if held["status"] != "ok"]
    assert [(held["topic"], held["differs"]) for held in differing] == [
        (topic, [{"setting": "retention.ms", "has": "86400000", "must": "-1"}])
    ]
    assert told("apply", data)["done"] == [f"set {topic} retention.ms=-1"]
    held = administer(lambda cluster: cluster.topics(topic, ["retention.ms", "segment.bytes"]))
    assert held[topic].settings == {"retention.ms": "-1", "segment.bytes": "2000000"}


def test_crash_between_topic_and_markers__is_mended_in_the_same_life(tmp_path: Path) -> None:
    data, space = tmp_path / "space", new_prefix()
    bare, half = f"{space}.claim.filings", f"{space}.claims.inbox"
    first = marker(space, "claims.inbox", HALF, "00000000000000aa")._replace(topic=half)

    async def crash(cluster: Administrator) -> None:
        await cluster.create({bare: settings("input", 1), half: settings("inbox", 1)}, 2, 1)
        async with cluster.writer() as writer:
            await writer.write([(first, 0)])

    administer(crash)
    told("plan", data, "--space", space, "--partitions", "2")
    assert "is on the cluster already" in refused("apply", data, "--space", space, "--partitions", "2")
    # What a crash leaves has its description: that is written first.
    described = tmp_path / "other"
    told("apply", described, "--space", new_prefix(), "--partitions", "2")
    content = json.loads((described / "space.json").read_text())
    data.mkdir()
    (data / "space.json").write_text(json.dumps({**content, "name": space}))
    found = statuses(data)
    assert (found["claim.filings"], found["claims.inbox"], found["claims.events"]) == ("mark", "mark", "create")
    told("apply", data)
    planned = {topic["topic"]: topic for topic in told("plan", data)["topics"]}
    assert planned[half]["incarnation"] == "00000000000000aa"
    assert {topic["status"] for topic in planned.values()} == {"ok"}


def test_other_number_of_partitions__refused_with_why(new_data: NewData) -> None:
    data = new_data()
    content = json.loads((data / "space.json").read_text())
    (data / "space.json").write_text(json.dumps({**content, "partitions": 3}))
    assert set(statuses(data, code=1).values()) == {"refused"}
    ended = adjudex("topics", "apply", "--data", data)
    assert ended.returncode == 1
    assert "2 partitions, must be 3, and none can be added: keys would belong to other" in " ".join(
        ended.stdout.split()
    )


def test_foreign_first_record_and_unknown_topic__are_named_and_left(tmp_path: Path) -> None:
    space = new_prefix()
    taken, unknown = f"{space}.claim.filings", f"{space}.of.somebody"
    junk = marker(space, "assessor.votes", 0, "0" * 16)._replace(topic=taken)

    async def take(cluster: Administrator) -> None:
        await cluster.create({taken: {}, unknown: {}}, 2, 1)
        async with cluster.writer() as writer:
            await writer.write([(junk, 0)])

    administer(take)
    planned = told("plan", tmp_path / "space", "--space", space, "--partitions", "2", code=1)
    found = {topic["topic"]: topic for topic in planned["topics"] if topic["status"] != "create"}
    assert {name: topic["status"] for name, topic in found.items()} == {taken: "refused", unknown: "unknown"}
    assert "partition 0 begins with something else than its marker" in found[taken]["why"]
    told("apply", tmp_path / "space", "--space", space, "--partitions", "2", code=1)
    assert not (tmp_path / "space").exists()


def test_partition_that_became_empty__is_not_taken_for_new(new_data: NewData) -> None:
    data = new_data()
    topic = f"{name_of(data)}.claims.events"

    async def lose(cluster: Administrator) -> None:
        await cluster._client.delete_topics([topic])
        while topic in await cluster.topics(topic):
            pass
        await cluster.create({topic: settings("log", 1)}, 2, 1)
        record = marker(name_of(data), "claims.events", 0, "0" * 16)._replace(topic=topic)
        async with cluster.writer() as writer:
            await writer.write([(record, 0), (record, 0)])

    administer(lose)
    planned = {held["topic"]: held for held in told("plan", data, code=1)["topics"]}
    assert "partition 1 is empty while others hold records: was it lost?" in planned[topic]["why"]


def test_what_a_directory_is_not__refused_with_what_to_do(new_data: NewData, tmp_path: Path) -> None:
    assert "--space NAME creates one" in refused("plan", tmp_path / "none")
    data = new_data()
    assert "was created with --partitions 2, not 4" in refused("apply", data, "--partitions", "4")
    assert "add --acls" in refused("plan", data, "--reader", "x")
    assert "2 copies need as many brokers" in refused("plan", data, "--replication", "2")
    embedded = embedded_data(tmp_path)
    assert "is an embedded log" in refused("apply", embedded, "--space", "main")
    (embedded / "space.json").write_text("{}")
    for command in (("log", "verify"), ("doctor",), ("topics", "plan"), ("up", "--until-idle")):
        ended = adjudex(*command, "--data", embedded)
        assert ended.returncode == 1
        assert "one directory is one space" in ended.stderr
    (data / "space.json").write_text("{")
    assert "does not describe a space" in refused("plan", data)


def test_cluster_that_is_not_said_or_not_there__refused(new_data: NewData, monkeypatch: pytest.MonkeyPatch) -> None:
    data = new_data()
    ended = adjudex("log", "verify", "--data", data, "--kafka", "127.0.0.1:1")
    assert ended.returncode == 1
    assert "connecting to 127.0.0.1:1" in ended.stderr
    assert "aiokafka" not in ended.stderr
    assert adjudex("log", "verify", "--data", data, "--kafka", "nowhere").returncode == 2
    monkeypatch.delenv("ADJUDEX_KAFKA")
    for command in (("log", "show", "x"), ("log", "export"), ("set-aside", "list"), ("doctor",), ("topics", "plan")):
        ended = adjudex(*command, "--data", data)
        assert ended.returncode == 1
        assert "name it with --kafka or in ADJUDEX_KAFKA" in ended.stderr


def test_rights_without_an_authorizer__refused(new_data: NewData) -> None:
    assert "the cluster has no authorizer" in refused("apply", new_data(), "--acls")
