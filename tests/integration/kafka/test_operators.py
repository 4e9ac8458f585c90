"""What operators look at and do says the same of a space on Kafka as of an embedded one."""

import json
from pathlib import Path

import pytest

from schemas.envelope import Record
from services.kernel.partition import BrokenInvariantError, Decision, Partition
from tests.integration.kafka.conftest import NewData
from tests.integration.kafka.filling import fill
from tests.support.command import Answer, adjudex, answers
from tests.unit.cli.spaces import JUNK, LINES, TERMS


def told(*command: str | Path) -> list[Answer]:
    ended = adjudex(*command, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return answers(ended.stdout)


def test_log_and_set_aside__read_what_was_decided(decided: Path, tmp_path: Path) -> None:
    data = decided
    shown = told("log", "show", "terms-1", "--data", data)
    assert [entry["fate"]["fate"] for entry in shown if entry["kind"] == "input"] == ["decided", "duplicate"]
    event = next(entry for entry in shown if entry["kind"] == "event")
    assert told("log", "show", event["position"], "--data", data)[1]["position"] == event["position"]
    assert adjudex("log", "show", "claim.filings/1/9", "--data", data).returncode == 1

    (report,) = told("log", "verify", "--data", data)
    assert (report["findings"], report["published"]) == ([], len(LINES))

    file = tmp_path / "export.jsonl"
    told("log", "export", "--data", data, "--to", file)
    assert told("log", "verify", file) == [report]

    (listed,) = told("set-aside", "list", "--data", data)
    assert (listed["id"], listed["cause"]) == ("junk", "not-json")
    (aside,) = told("set-aside", "show", listed["position"], "--data", data)
    assert bytes.fromhex(aside["value_hex"]) == b"{\xff"


def test_record_missing_from_a_log_on_kafka__is_found_by_its_chain(decided: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    told("log", "export", "--data", decided, "--to", file)
    lines = file.read_text().splitlines(keepends=True)
    event = next(number for number, line in enumerate(lines) if '"stake.terms-set.v1"' in line and ".events" in line)
    before, where = (json.loads(line)["line"] for line in lines[event - 1 : event + 1])
    del lines[event]
    file.write_text("".join(lines))
    findings = json.loads(adjudex("log", "verify", file, "--json").stdout)["findings"]
    # Where a transaction ended, an offset holds no record: what is missing is one of those since the record before.
    place = f"{where['topic']}/{where['partition']}"
    assert (before["topic"], before["partition"]) == (where["topic"], where["partition"])
    gap = {f"{place}/{offset}" for offset in range(before["offset"] + 1, where["offset"] + 1)}
    assert gap & {finding["where"] for finding in findings}


@pytest.fixture
def stopped(new_data: NewData, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A space in which a bug stops the partition that reads one filing."""
    decide = Partition.decide

    def with_a_bug(self: Partition, record: Record) -> Decision:
        if ("ce_id", b"poison") in record.headers:
            raise BrokenInvariantError("a bug")
        return decide(self, record)

    monkeypatch.setattr(Partition, "decide", with_a_bug)
    data = new_data()
    (error,) = fill(data, ({**JUNK, "id": "poison"}, TERMS)).stopped
    assert error.position == "claim.filings/1/1"
    return data, error.position


def test_stopped_partition__is_named_and_passed(stopped: tuple[Path, str]) -> None:
    data, position = stopped
    checks = json.loads(adjudex("doctor", "--data", data, "--json").stdout)["checks"]
    (failing,) = (check for check in checks if check["name"] == "stopped")
    assert position in failing["what"]
    assert failing["todo"] == "report this bug; to go past the input, run"
    assert failing["command"].startswith(f"adjudex set-aside pass {position} --data {data}")

    operator = ("--operator", "ada", "--reason", "ticket 17")
    wrong = adjudex("set-aside", "pass", "claims.inbox/0/7", "--data", data, *operator)
    assert "nothing stops it" in wrong.stderr
    (passed,) = told("set-aside", "pass", position, "--data", data, *operator)
    assert passed["operator"] == "ada"
    again = adjudex("set-aside", "pass", position, "--data", data, *operator)
    assert "nothing stops it" in again.stderr
    assert [listed["passed_by"] for listed in told("set-aside", "list", "--data", data)] == ["ada"]
    assert fill(data, (JUNK,)).stopped == []
    (report,) = told("log", "verify", "--data", data)
    assert (report["findings"], len(report["passed_by_operators"])) == ([], 1)


def test_description_is_taken_to_another_machine(decided: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "space.json").write_bytes((decided / "space.json").read_bytes())
    assert told("set-aside", "list", "--data", other) == told("set-aside", "list", "--data", decided)
