"""A copy of a space is decided again as the original is, and goes on from there."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.data import DataDirectory
from tests.integration.kafka.conftest import NewData
from tests.integration.kafka.filling import administer, fill
from tests.support.command import adjudex
from tests.unit.cli.spaces import AGAIN, JUNK, TERMS
from tests.unit.cli.spaces import new_data as embedded_data


def copied(source: Path, target: Path, *options: str, code: int = 0) -> dict[str, Any]:
    ended = adjudex("log", "copy", "--from", source, "--to", target, "--json", *options)
    assert ended.returncode == code, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout or ended.stderr)
    return found


def verified(data: Path) -> dict[str, Any]:
    ended = adjudex("log", "verify", "--data", data, "--json")
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["findings"] == []
    return report


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    """An embedded space of this test alone: a space keeps its name, and topics with it are there but once."""
    return embedded_data(tmp_path)


@pytest.fixture(autouse=True)
def _no_topics_left(_cluster: None) -> None:
    """Remove what another test has copied: there can be only one space of a name."""

    async def remove(cluster: Any) -> None:  # noqa: ANN401
        left = await cluster.topics("unit.")
        if left:
            await cluster._client.delete_topics(list(left))
        while await cluster.topics("unit."):
            pass

    administer(remove)


def exported(data: Path, file: Path) -> bytes:
    assert adjudex("log", "export", "--data", data, "--to", file).returncode == 0
    return file.read_bytes()


def test_embedded_to_kafka_and_back__the_same_bytes_and_it_goes_on(embedded: Path, tmp_path: Path) -> None:
    cluster, back = tmp_path / "cluster", tmp_path / "back"
    told = copied(embedded, cluster)
    assert told["equal"]
    assert all(log["from"] == log["to"] for log in told["logs"].values())
    assert verified(cluster) == verified(embedded)
    assert told["log_hash"] == verified(cluster)["log_hash"]
    assert json.loads(adjudex("topics", "plan", "--data", cluster, "--json").stdout)["done"]

    assert copied(cluster, back)["equal"]
    exports = [exported(data, tmp_path / f"{data.name}.jsonl") for data in (embedded, cluster, back)]
    assert exports[0] == exports[1] == exports[2]

    embedded_again = fill(cluster, ({**TERMS, "id": "later"}, JUNK))
    assert verified(cluster)["log_hash"] == embedded_again.log_hash() != told["log_hash"]


def test_kafka_to_embedded__keeps_gaps_and_goes_on(decided: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    told, original = copied(decided, backup), verified(decided)
    assert (told["equal"], told["log_hash"]) == (True, original["log_hash"])
    assert verified(backup) == original
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps(line) + "\n" for line in ({**AGAIN, "id": "later"}, JUNK, TERMS)))
    ended = adjudex("up", lines, "--until-idle", "--data", backup)
    assert ended.returncode == 0, ended.stderr
    assert verified(backup)["events"] > original["events"]
    assert json.loads(adjudex("doctor", "--data", backup, "--json").stdout)["healthy"]

    again = tmp_path / "again"
    assert copied(backup, again, "--as", "embedded")["equal"]
    assert verified(again) == verified(backup)
    assert not list(again.glob("copying*"))


def test_kafka_to_kafka__refused_because_of_gaps(decided: Path, tmp_path: Path) -> None:
    told = copied(decided, tmp_path / "other", "--as", "kafka", code=1)
    assert "a new topic counts without gaps" in told["error"]
    assert not (tmp_path / "other").exists()


def test_target_that_is_not_new__refused(embedded: Path, new_data: NewData, tmp_path: Path) -> None:
    assert "there is a space in" in copied(embedded, new_data(), code=1)["error"]
    assert "there is a space in" in copied(embedded, embedded, code=1)["error"]
    copied(embedded, tmp_path / "one")
    told = copied(embedded, tmp_path / "two", code=1)
    assert f"topics of a space {DataDirectory(tmp_path / 'one').space().name} already" in told["error"]
