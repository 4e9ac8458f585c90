"""Timelines, exports and their verification."""

import json
from pathlib import Path

import pytest

from tests.support.command import Answer, adjudex, answers
from tests.unit.cli.spaces import LINES, TERMS, new_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_data(tmp_path_factory.mktemp("log"))


def shown(data: Path, what: str) -> list[Answer]:
    ended = adjudex("log", "show", what, "--data", data, "--json")
    assert ended.returncode == 0, ended.stderr
    return answers(ended.stdout)


def test_aggregate__every_event_on_it_and_every_refusal_about_it(data: Path) -> None:
    assert [(entry["type"], entry["sequence"]) for entry in shown(data, "scope/main")] == [
        ("stake.terms-set.v1", 1),
        ("refused.v1", 2),
    ]
    about_nothing = shown(data, "payout/c/1/1")
    assert [(entry["type"], entry["key"][:10]) for entry in about_nothing] == [("refused.v1", "partition/")]


def test_input__its_copies_with_their_fates_and_all_that_it_began(data: Path) -> None:
    entries = shown(data, "terms-1")
    inputs = [entry for entry in entries if entry["kind"] == "input"]
    assert [entry["fate"]["fate"] for entry in inputs] == ["decided", "duplicate"]
    assert inputs[1]["fate"]["of"].startswith("governance.actions@")
    events = [entry for entry in entries if entry["kind"] == "event"]
    assert events[0]["type"] == "stake.terms-set.v1"
    assert {entry["begun_by"] for entry in events} == {"terms-1"}
    assert {entry["position"].partition("/")[0] for entry in events} >= {"governance.events", "assessors.events"}
    assert [entry["appended_at"] for entry in entries] == sorted(entry["appended_at"] for entry in entries)


def test_position__of_an_event_an_input_a_message_and_what_is_published(data: Path) -> None:
    event = shown(data, "terms-1")[1]
    by_event, by_input = shown(data, event["position"]), shown(data, event["input"])
    assert by_event == by_input
    assert [(entry["kind"], entry["type"]) for entry in by_event] == [
        ("input", "stake.set-terms.v1"),
        ("event", "stake.terms-set.v1"),
    ]
    message = shown(data, "assessors.inbox/0/1")
    assert [entry["type"] for entry in message] == ["stake.terms-set.v1", "fact.noted.v1"]
    assert message[0]["fate"]["fate"] == "decided"
    outcome = next(entry for entry in (shown(data, f"input.outcomes/{n}/1")[0] for n in (0, 1)))
    assert outcome["type"] == "input.outcome.v1"
    assert [entry["type"] for entry in shown(data, "claim.filings/1/1")] == ["claim.file.v1", "input.set-aside.v1"]


@pytest.mark.parametrize(
    "what", ["nothing", "cover/none", "claim.filings/1/99", "claim.filings/9/1", "claims.events/0/99"]
)
def test_nothing_of_that_name__refused(what: str, data: Path) -> None:
    ended = adjudex("log", "show", what, "--data", data)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"is called {what}" in ended.stderr


def test_text__is_aligned_and_within_100_columns(data: Path) -> None:
    said = adjudex("log", "show", "terms-1", "--data", data).stdout
    assert max(map(len, said.splitlines())) <= 100
    entry = next(entry for entry in said.split("\n\n") if "stake.terms-set.v1  #1" in entry)
    lines = entry.splitlines()
    assert lines[0].startswith("2023-11-14T22:13:21.000Z  stake.terms-set.v1  #1  governance.events/")
    assert lines[1:5] == [
        "    about            scope/main",
        "    asset            eip155:1/erc20:0x" + "a0" * 20,
        "    stake_min_minor  1000",
        "    notice           1d",
    ]
    assert lines[7].startswith("    cause            governance.actions/")
    assert lines[7].endswith("/1, id terms-1, sent by root")
    assert lines[8].startswith("    next             stakes are added and leave on these terms")


def test_export__the_same_bytes_in_a_file_and_on_standard_output(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    written = adjudex("log", "export", "--data", data, "--to", file)
    piped = adjudex("log", "export", "--data", data)
    assert file.read_text() == piped.stdout
    assert json.loads(piped.stdout.splitlines()[-1])["line"]["records"] == piped.stdout.count("\n") - 2
    assert f"records in {file}, {file.stat().st_size:,} bytes" in written.stdout
    again = adjudex("log", "export", "--data", data, "--to", file)
    assert again.returncode == 1
    assert "exists" in again.stderr
    nowhere = adjudex("log", "export", "--data", data, "--to", tmp_path / "no" / "where")
    assert nowhere.returncode == 1
    assert "cannot be written" in nowhere.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["export.jsonl"]


def test_verify__the_file_or_the_directory_it_came_from_gives_the_same_report(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    adjudex("log", "export", "--data", data, "--to", file)
    of_file, of_data = adjudex("log", "verify", file), adjudex("log", "verify", "--data", data)
    assert of_file == of_data
    assert of_file.returncode == 0
    report = json.loads(adjudex("log", "verify", file, "--json").stdout)
    assert of_file.stdout.splitlines()[-2:] == ["nothing wrong found", f"log hash {report['log_hash']}"]
    assert report["clean"]
    assert (report["findings"], report["other_releases"], report["passed_by_operators"]) == ([], [], [])


def test_equal_histories__have_equal_log_hashes_and_others_have_not(tmp_path: Path) -> None:
    hashes = [
        adjudex("log", "verify", "--data", new_data(tmp_path / name, lines)).stdout.splitlines()[-1]
        for name, lines in (("a", LINES), ("b", LINES), ("c", (TERMS,)))
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_undecided_input__is_found(tmp_path: Path) -> None:
    data = new_data(tmp_path, (TERMS,), decide=False)
    ended = adjudex("log", "verify", "--data", data)
    assert ended.returncode == 1
    assert "\n1 finding:\n  governance.actions/" in ended.stdout
    assert "an input without a fate" in ended.stdout
    assert [entry["fate"]["fate"] for entry in shown(data, "terms-1")] == ["undecided"]
