"""A bug stops one partition, names the record, and an operator can go past it."""

import json
from pathlib import Path

import pytest

from schemas.payouts import PayoutConfirmed
from services.kernel.partitioner import partition_of
from services.kernel.wire import message_record
from tests.integration import world
from tests.integration.processes import post, run_up, wait_for_instruction
from tests.integration.reading import append
from tests.support.command import Answer, adjudex

CLAIM = "c-1/1"
FILING = f"claim.filings/{partition_of('cover/c-1', 2)}/1"
OTHER = next(f"o-{n}" for n in range(9) if partition_of(f"cover/o-{n}", 2) != partition_of("cover/c-1", 2))


@pytest.fixture
def broken(data: Path) -> tuple[Path, str]:
    """A space in whose claims' inbox stands what no sibling would send: a payment of a claim with another amount."""
    run_up(data, [world.report("r-1"), world.register("c-1")])
    run_up(data, [world.file("c-1", "vault-a/1")])
    run_up(data, [world.vote(CLAIM, assessor) for assessor in world.ASSESSORS])
    wait_for_instruction(data)
    content = PayoutConfirmed(
        payout=f"{CLAIM}/1", claim=CLAIM, cover="c-1", attempt=1, transaction="tx", amount_minor=7
    )
    record = message_record(
        "claims.inbox",
        partition_of("cover/c-1", 2),
        "cover/c-1",
        "forged",
        content.wire,
        content.to_bytes(),
        "/test/payouts",
        "forged",
        "forged",
        0,
    )
    position = append(data, [record])[0]
    return data, f"{position.topic}/{position.partition}/{position.offset}"


def test_stopped_partition__named_while_all_others_go_on(broken: tuple[Path, str]) -> None:
    data, position = broken
    lines = [world.register("c-2"), world.register(OTHER)]
    ended = post(data, lines)

    said: list[Answer] = [json.loads(line) for line in ended.stdout.splitlines()]
    stopped = [answer for answer in said if "stopped" in answer]
    assert ended.returncode == 1
    assert [answer["stopped"] for answer in stopped] == [position]
    assert f"adjudex set-aside pass {position} --data {data}" in stopped[0]["todo"]
    assert f"register-{OTHER}" in [answer["outcome"]["input_id"] for answer in said if "outcome" in answer]

    examined = adjudex("doctor", "--data", data, "--json")
    failing = [check for check in json.loads(examined.stdout)["checks"] if check["status"] == "fail"]
    assert examined.returncode == 1
    assert [check["name"] for check in failing] == ["stopped"]
    assert position in failing[0]["what"]
    assert f"adjudex set-aside pass {position}" in failing[0]["command"]


def test_log_of_a_newer_release__named_in_a_readable_line(data: Path) -> None:
    run_up(data, [world.register("c-1")])
    partition = partition_of("cover/c-1", 2)
    newer = message_record(
        "claims.events", partition, "cover/c-1", "newer", "cover.insured.v9", b"{}", "/test/claims", "newer", "newer", 0
    )
    position = append(data, [newer])[0]
    ended = post(data, [world.register("c-2")])

    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (1, "", False)
    where = f"{position.topic}/{position.partition}/{position.offset}"
    said = json.loads(ended.stderr)
    assert said["error"].startswith(f"{where}: this release cannot read it")
    assert "cover.insured.v9" in said["error"]
    assert "doctor" in said["todo"]


def test_pass__goes_past_it_as_an_event_that_names_the_operator(broken: tuple[Path, str]) -> None:
    data, position = broken
    operator = ("--operator", "ada", "--reason", "ticket 17")
    innocent = adjudex("set-aside", "pass", FILING, "--data", data, *operator)
    passed = adjudex("set-aside", "pass", position, "--data", data, *operator)
    went_on = post(data, [world.confirm(CLAIM)])
    listed = adjudex("set-aside", "list", "--data", data, "--json")
    shown = adjudex("set-aside", "show", position, "--data", data)
    verified = adjudex("log", "verify", "--data", data, "--json")

    assert innocent.returncode == 1
    assert f"does not stop at {FILING}" in innocent.stderr
    assert passed.returncode == 0
    assert went_on.returncode == 0
    told = json.loads(listed.stdout)
    assert (told["cause"], told["reason"], told["passed_by"]) == ("passed", "ticket 17", "ada")
    assert '"amount_minor":"7"' in shown.stdout
    report = json.loads(verified.stdout)
    assert [note.partition(": ")[2] for note in report["passed_by_operators"]] == ["ada: ticket 17"]
    assert [finding["where"] for finding in report["findings"]] == [position]
    assert "no log record sent" in report["findings"][0]["what"]
