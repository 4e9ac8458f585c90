"""The demonstration's story through separate processes and topics: what the embedded log decides, event by event."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.cli.demo.on_kafka import is_slow
from tests.integration.processes import ROOT
from tests.support.command import Answer, adjudex, answers

pytestmark = pytest.mark.timeout(900)
PATIENCE_S = 400
GONE_S = 60


def command(bootstrap: str, *args: str | Path) -> list[str]:
    return [sys.executable, "-m", "services.cli", "demo", "--kafka", bootstrap, "--json", *map(str, args)]


class Told:
    """One run of the story on Kafka."""

    def __init__(self, bootstrap: str, data: Path, day_s: int) -> None:
        self.day_s = day_s
        self.ended = subprocess.run(
            command(bootstrap, "--data", data, "--day-seconds", str(day_s)),
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        self.said = answers(self.ended.stdout)

    def lines(self, kind: str) -> list[Answer]:
        return [line for line in self.said if line["type"] == kind]

    def one(self, kind: str) -> Answer:
        (found,) = self.lines(kind)
        return found

    @property
    def came_too_late(self) -> bool:
        """Whether somebody was late by more than an hour of the story: a loaded machine is slow, not wrong."""
        compared = self.lines("comparison")
        late_ms = compared[0]["late_ms"] if compared else 0
        return self.ended.returncode != 0 and (is_slow(late_ms, self.day_s) or "seconds late" in self.ended.stderr)


def tell(bootstrap: str, folder: Path) -> tuple[Told, Path]:
    """Tell the story, and tell it slowly when the machine is too busy for a quick one."""
    told = Told(bootstrap, folder / "quick", 2)
    if not told.came_too_late:
        return told, folder / "quick"
    return Told(bootstrap, folder / "slow", 8), folder / "slow"


def embedded() -> list[Answer]:
    run = adjudex("demo", "--json")
    assert run.returncode == 0
    return answers(run.stdout)


def fates(said: list[Answer]) -> dict[tuple[str, str], list[tuple[str, str | None, list[str]]]]:
    """What became of each input, by its sender's stream and id."""
    found: dict[tuple[str, str], list[tuple[str, str | None, list[str]]]] = {}
    for line in said:
        if line["type"] == "outcome":
            stream = line["position"].partition("@")[0]
            rule = line["refusal"] and line["refusal"]["rule"]
            found.setdefault((stream, line["input_id"]), []).append((line["fate"], rule, line["events"]))
    return found


def happened(said: list[Answer]) -> dict[str, list[str]]:
    """The types of the events of each aggregate."""
    found: dict[str, list[str]] = {}
    for line in said:
        if line["type"] == "event":
            found.setdefault(line["key"], []).append(line["wire"])
    return found


def at(told: Told, input_id: str) -> str:
    """When the first input of that id was posted."""
    return str(next(line["at"] for line in told.lines("input") if line["id"] == input_id))


def outcome(told: Told, input_id: str) -> Answer:
    return next(line for line in told.lines("outcome") if line["input_id"] == input_id)


def test_story__same_events_per_aggregate_as_on_the_embedded_log(bootstrap: str, tmp_path: Path) -> None:
    told, data = tell(bootstrap, tmp_path)
    assert told.ended.returncode == 0, told.ended.stdout[-2_000:] + told.ended.stderr

    compared = told.one("comparison")
    assert (compared["same"], compared["differences"]) == (True, [])
    expected = embedded()
    # Records that only say which offsets were passed are no events of an aggregate, and as many as chance has it.
    assert 350 < compared["events"] <= min(told.one("verification")["events"], expected[-1]["events"])
    # What outsiders read says the same, without the comparison's help.
    assert fates(told.said) == fates(expected)
    assert happened(told.said) == happened(expected)
    assert told.lines("balance") == [
        line | {"at": balance["at"]}
        for line, balance in zip(
            (line for line in expected if line["type"] == "balance"), told.lines("balance"), strict=True
        )
    ]

    processes = told.one("processes")["processes"]
    assert len({process["pid"] for process in processes}) == 8
    assert set(told.one("ended")["exit_codes"].values()) == {0}
    assert not any(is_alive(process["pid"]) for process in processes)

    assert told.one("verification")["clean"]
    verified = adjudex("log", "verify", "--data", data, "--kafka", bootstrap, "--json")
    assert json.loads(verified.stdout)["log_hash"] == told.one("verification")["log_hash"]
    assert (
        "claim.too-early" in adjudex("log", "show", "cover/harbor-pool.1", "--data", data, "--kafka", bootstrap).stdout
    )

    # Nobody acted before they had read what they acted on.
    assert at(told, "alice-files-again") >= outcome(told, "alice-files")["refusal"]["not_before"]
    assert at(told, "alice-files") > outcome(told, "report-night-owl-1")["at"]
    assert at(told, "otto-on-alice-files-again") > outcome(told, "alice-files-again")["at"]
    case = "case/claim/harbor-pool.1/1"
    (closed,) = (line for line in told.lines("event") if (line["wire"], line["key"]) == ("ballot.closed.v1", case))
    assert at(told, "rosa-on-alice-files-again") > closed["at"]
    assert at(told, "erin-buys") > outcome(told, "erin-buys-too-much")["at"]
    assert at(told, "ben-halts") > outcome(told, "ada-halts")["at"]
    instructed = {(line["reference"], line["attempt"]): line["at"] for line in told.lines("instruction")}
    receipts = [line for line in told.lines("input") if line["stream"] == "payout.receipts"]
    assert receipts
    assert all(line["at"] >= instructed[line["content"]["payout"], line["content"]["attempt"]] for line in receipts)


# --- the processes


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def begun(bootstrap: str) -> Iterator[Callable[[], tuple[subprocess.Popen[str], list[int]]]]:
    """Begin to tell the story, and return it and its processes once they are ready."""
    running: list[subprocess.Popen[str]] = []

    def begin() -> tuple[subprocess.Popen[str], list[int]]:
        demo = subprocess.Popen(command(bootstrap), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(demo)
        assert demo.stdout is not None
        lines = map(json.loads, demo.stdout)
        (processes,) = (next(line["processes"] for line in lines if line["type"] == "processes"),)
        return demo, [process["pid"] for process in processes]

    yield begin
    for demo in running:
        demo.kill()
        demo.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_end_of_the_story__ends_its_processes(
    begun: Callable[[], tuple[subprocess.Popen[str], list[int]]], number: signal.Signals
) -> None:
    demo, pids = begun()
    assert all(map(is_alive, pids))
    demo.send_signal(number)
    _, complaint = demo.communicate(timeout=GONE_S)
    if number is signal.SIGTERM:
        assert demo.returncode == 1
        assert json.loads(complaint)["error"] == "ended by a signal; its services are stopped"
    until = time.monotonic() + GONE_S
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < until, f"still there: {alive}"
        time.sleep(0.05)


# --- what is asked for


def test_cluster_that_is_not_there__readable_line(tmp_path: Path) -> None:
    run = adjudex("demo", "--kafka", "127.0.0.1:1", "--data", tmp_path / "data")
    assert (run.returncode, "Traceback" in run.stderr) == (1, False)
    assert "connecting to 127.0.0.1:1" in run.stderr
    assert "what to do: " in run.stderr


def test_cluster_in_the_environment__does_not_change_the_demonstration() -> None:
    """`make demo` is the embedded story, whatever is set for other commands: conftest.py sets ADJUDEX_KAFKA."""
    assert os.environ["ADJUDEX_KAFKA"]
    assert embedded()[0]["name"] == "demonstration"
