"""Starting, stopping and sharing a data directory."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.claims import RegisterCover
from schemas.topics import SERVICES
from services.kernel.partitioner import partition_of
from services.kernel.wire import input_record
from tests.integration import world
from tests.integration.processes import Up, post, run_up
from tests.integration.reading import append
from tests.support.command import Answer, adjudex

MARKERS = 2 * len(SERVICES)


def until(up: Up, wanted: Callable[[Answer], bool]) -> Answer:
    """Read on until a line that is wanted."""
    while (answer := up.next()) is not None:
        if wanted(answer):
            return answer
    raise AssertionError("it ended without")


def outcome_of(identifier: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.get("outcome", {}).get("input_id") == identifier


def test_second_up__refused_by_name_while_reading_works(data: Path) -> None:
    with Up(data) as up:
        up.post([world.register("c-1")])
        until(up, outcome_of("register-c-1"))

        second = post(data, [])
        passing = adjudex("set-aside", "pass", "claims.inbox/0/1", "--data", data, "--operator", "ada", "--reason", "x")
        shown = adjudex("log", "show", "cover/c-1", "--data", data)
        examined = adjudex("doctor", "--data", data, "--json")
        exported = adjudex("log", "export", "--data", data)

    for refused in (second, passing):
        assert refused.returncode == 1
        assert refused.stdout == ""
        assert f"in use by process {up.process.pid}" in refused.stderr
        assert "stop that process; to read, `log` and `doctor` work while it runs" in refused.stderr
    assert shown.returncode == 0
    assert "cover.registered.v1  #1" in shown.stdout
    assert examined.returncode == 0
    locks = [check["what"] for check in json.loads(examined.stdout)["checks"] if check["name"] == "lock"]
    assert locks == [f"process {up.process.pid} runs this space"]
    assert exported.returncode == 0
    assert exported.stdout.startswith('{"hash":"')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal__stops_cleanly_and_the_restart_reads_snapshots(number: signal.Signals, data: Path) -> None:
    whole = Up(data)
    with whole as up:
        start = up.next()
        assert start is not None
        up.post([world.report("r-1"), *(world.register(f"c-{n}") for n in range(50))])
        until(up, outcome_of("register-c-49"))
        up.process.send_signal(number)
        rest = up.rest()
        assert up.process.wait() == 0
    assert all("error" not in answer for answer in rest)
    assert len(list((data / "snapshots").glob("*.jsonl"))) == 14

    again = run_up(data, [world.register("c-7")])

    assert again[0]["log_records_read"] == 0
    assert start["log_records_read"] == 0
    assert [answer["outcome"]["fate"] for answer in again if "outcome" in answer] == ["duplicate"]
    assert adjudex("log", "verify", "--data", data).returncode == 0


def test_input_that_nobody_decided__found_by_verify_and_doctor_until_up_decides_it(data: Path) -> None:
    content = RegisterCover.model_validate_json(json.dumps(world.register("c-1")["content"]))
    partition = partition_of(content.key(), 2)
    position = append(
        data,
        [
            input_record(
                "cover.registrations",
                partition,
                content.key(),
                id="behind-backs",
                source="/x",
                wire=content.wire,
                value=content.to_bytes(),
            )
        ],
    )[0]
    where = f"{position.topic}/{position.partition}"

    verified = adjudex("log", "verify", "--data", data)
    examined = adjudex("doctor", "--data", data)
    shown = adjudex("log", "show", "behind-backs", "--data", data)
    run_up(data, [])
    again = adjudex("log", "verify", "--data", data)

    assert verified.returncode == 1
    assert f"1 finding:\n  {where}/{position.offset}\n      an input without a fate\nno log hash: " in verified.stdout
    assert examined.returncode == 0
    assert f"warn  undecided    {where}: 1 undecided" in examined.stdout
    assert "fate          undecided" in shown.stdout
    assert again.returncode == 0
    assert "\nnothing wrong found\nlog hash " in again.stdout


def test_snapshots_lost_or_damaged__the_whole_log_gives_the_same(data: Path) -> None:
    run_up(data, [world.report("r-1"), *(world.register(f"c-{n}") for n in range(5))])
    before = adjudex("log", "verify", "--data", data, "--json")
    for number, snapshot in enumerate(sorted((data / "snapshots").glob("*.jsonl"))):
        if number % 2:
            snapshot.unlink()
        else:
            snapshot.write_bytes(snapshot.read_bytes()[:-1] + b"?")

    again = run_up(data, [])

    assert again[0]["log_records_read"] == json.loads(before.stdout)["events"] + MARKERS
    assert json.loads(adjudex("log", "verify", "--data", data, "--json").stdout) == json.loads(before.stdout)


def test_reader_gone__stops_cleanly_and_stores_what_it_acknowledged(data: Path) -> None:
    with Up(data) as up:
        assert up.process.stdout is not None
        up.next()
        up.process.stdout.close()
        up.post([world.register("c-1")])
        assert up.process.wait() == 1
        assert up.process.stderr is not None
        assert up.process.stderr.read() == b""
    again = [answer["outcome"]["fate"] for answer in run_up(data, [world.register("c-1")]) if "outcome" in answer]
    assert again[-1] == "duplicate"


def test_files_and_standard_input__in_the_order_they_are_named(data: Path, tmp_path: Path) -> None:
    first, last = tmp_path / "first.jsonl", tmp_path / "last.jsonl"
    first.write_text(json.dumps(world.register("c-1")) + "\n\n" + json.dumps(world.register("c-2")))
    last.write_text(json.dumps(world.register("c-4")) + "\n")
    with Up(data, "--until-idle", str(first), "-", str(last)) as up:
        up.post([world.register("c-3")])
        up.end_input()
        accepted = [answer for answer in up.rest() if "accepted" in answer]
        assert up.process.wait() == 0
    assert [(answer["accepted"], answer["file"], answer["line"]) for answer in accepted] == [
        ("register-c-1", str(first), 1),
        ("register-c-2", str(first), 3),
        ("register-c-3", "-", 1),
        ("register-c-4", str(last), 1),
    ]


def test_new_space__is_what_was_asked_for_and_stays_so(tmp_path: Path) -> None:
    data, key = tmp_path / "space", "ab" * 32
    made = run_up(data, [], "--space", "mine", "--partitions", "3", "--root-key", key)
    assert (made[0]["space"], made[0]["partitions"], made[0]["created"]) == ("mine", 3, True)

    same = post(data, [], "--partitions", "3")
    other = post(data, [], "--partitions", "4")
    exported = adjudex("log", "export", "--data", data)

    assert same.returncode == 0
    assert json.loads(same.stdout.splitlines()[0])["created"] is False
    assert other.returncode == 1
    assert "created with --partitions 3, not 4" in other.stderr
    principals = json.loads(exported.stdout.splitlines()[0])["line"]["space"]["principals"]
    assert [(held["id"], held["public_key"]) for held in principals] == [("root", key)]


def test_private_keys__are_readable_by_their_owner_only(data: Path) -> None:
    for key in (data / "keys").glob("*.pem"):
        assert key.stat().st_mode & 0o777 == 0o600
    assert (data / "keys").stat().st_mode & 0o777 == 0o700
    assert os.access(data / "keys" / f"{world.BOT}.pem", os.R_OK)
    again = adjudex("key", "new", world.BOT, "--data", data)
    assert again.returncode == 1
    assert "has a key" in again.stderr
