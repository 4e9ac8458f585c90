"""Sending a log's messages to a receiver that was added later: the same bytes, and only what is not there."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from schemas.topics import TELLS
from tests.support.command import adjudex
from tests.unit.cli.test_explain import kept

PAIRS = [
    ("governance", "pools"),
    ("governance", "assessors"),
    ("adjudication", "claims"),
    ("pools", "claims"),
    ("claims", "payouts"),
    ("assessors", "adjudication"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return kept(tmp_path / "data", "stake_waits_for_its_case")


@pytest.mark.parametrize(("service", "receiver"), PAIRS)
def test_receiver_that_was_there__nothing_is_missing(service: str, receiver: str, data: Path) -> None:
    before = adjudex("log", "verify", "--data", data, "--json").stdout
    ended = adjudex("reroute", service, "--to", receiver, "--data", data, "--json")
    said = json.loads(ended.stdout)
    assert (said["sent"], said["dry_run"]) == (0, False)
    assert said["there_before"] > 0
    assert adjudex("log", "verify", "--data", data, "--json").stdout == before


def inbox(data: Path) -> Counter[tuple[object, ...]]:
    """Everything that is in the inbox of pools, besides where in it."""
    with closing(sqlite3.connect(data / "space.sqlite")) as database:
        return Counter(database.execute(f"SELECT part, key, value, headers FROM records {OF_POOLS}").fetchall())


OF_POOLS = "WHERE topic = (SELECT number FROM topics WHERE name = 'pools.inbox') AND position > 0"


def test_receiver_that_was_added_later__gets_the_same_bytes_in_the_same_order(data: Path) -> None:
    before = inbox(data)
    with closing(sqlite3.connect(data / "space.sqlite")) as database, database:
        database.execute(f"DELETE FROM records {OF_POOLS}")
    assert inbox(data) == Counter()
    tellers = [service for service, receivers in TELLS.items() if "pools" in receivers]
    counted = [json.loads(adjudex(*reroute(service, data), "--dry-run").stdout)["sent"] for service in tellers]
    assert inbox(data) == Counter()
    sent = [json.loads(adjudex(*reroute(service, data)).stdout)["sent"] for service in tellers]
    assert sent == counted
    assert sum(sent) == before.total()
    assert inbox(data) == before
    again = [json.loads(adjudex(*reroute(service, data)).stdout) for service in tellers]
    assert [(said["sent"], said["there_before"]) for said in again] == [(0, count) for count in sent]
    assert inbox(data) == before


def reroute(service: str, data: Path) -> tuple[str | Path, ...]:
    return ("reroute", service, "--to", "pools", "--data", data, "--json")


@pytest.mark.parametrize(
    ("service", "receiver", "wrong"),
    [
        ("nobody", "pools", "there is no service nobody"),
        ("payouts", "incidents", "payouts sends incidents nothing"),
        ("governance", "relay", "governance sends relay nothing"),
    ],
)
def test_what_is_never_sent__refused(service: str, receiver: str, wrong: str, data: Path) -> None:
    ended = adjudex("reroute", service, "--to", receiver, "--data", data)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert wrong in ended.stderr
