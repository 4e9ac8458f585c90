"""Timelines, exports and their verification."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
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


@pytest.fixture(scope="module")
def exported(data: Path) -> bytes:
    return adjudex("log", "export", "--data", data).stdout.encode()


def verified(content: bytes, folder: Path) -> tuple[Answer, str]:
    """Verify an export in which something is found, and return what is said of it as JSON and as text."""
    file = folder / "export.jsonl"
    file.write_bytes(content)
    as_json, as_text = adjudex("log", "verify", file, "--json"), adjudex("log", "verify", file)
    assert (as_json.returncode, as_text.returncode) == (1, 1)
    report = json.loads(as_json.stdout)
    # Whoever compares only hashes must not be fooled by that of an export in which something is wrong.
    assert (report["clean"], report["log_hash"]) == (False, None)
    assert as_text.stdout.endswith("\nno log hash: see the findings\n")
    return report, as_text.stdout


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_verify__packed_or_not_from_a_file_or_standard_input(
    pack: type[bytes], data: Path, exported: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "export"
    file.write_bytes(pack(exported))
    piped = CliRunner().invoke(app, ["log", "verify", "-"], input=pack(exported))
    assert piped.exit_code == 0
    assert piped.stdout == adjudex("log", "verify", file).stdout == adjudex("log", "verify", "--data", data).stdout


def test_packed_export_cut_off__is_a_finding(exported: bytes, tmp_path: Path) -> None:
    packed = gzip.compress(exported)
    report, _ = verified(packed[: len(packed) // 2], tmp_path)
    assert report["findings"][0]["where"] == "end"
    assert "gzip packed is damaged or cut off" in report["findings"][0]["what"]
    assert "cut off" in str(verified(packed[:5], tmp_path)[0]["findings"])


def test_no_export__one_finding_and_nothing_claimed(exported: bytes, tmp_path: Path) -> None:
    for content in (gzip.compress(gzip.compress(exported)), b"a line\n" * 9_999, b"{}\n", b""):
        report, text = verified(content, tmp_path)
        assert [finding["where"] for finding in report["findings"]] == ["line 1"]
        assert report["findings"][0]["what"].startswith("this is no export: ")
        assert {report[name] for name in ("events", "inputs", "decided_again", "messages", "published")} == {None}
        assert text.count("-  not checked\n") == 5
        assert "recomputed" not in text


def test_many_findings__fifty_are_shown_and_the_others_counted(exported: bytes, tmp_path: Path) -> None:
    first, *others = exported.splitlines(keepends=True)
    report, text = verified(first + b"".join(b"garbage\n" for _ in others), tmp_path)
    assert len(report["findings"]) == 50
    assert report["findings"][0] == {"where": f"line 2 (byte {len(first)})", "what": "it is not JSON"}
    assert report["more_findings"] > len(others) - 50
    assert f"\n{report['more_findings'] + 50:,} findings:\n" in text
    assert f"\n  and {report['more_findings']:,} more\nno log hash" in text


def test_final_newline_missing__is_the_one_finding(exported: bytes, tmp_path: Path) -> None:
    report, _ = verified(exported[:-1], tmp_path)
    what = "the newline at the end of the file is missing"
    assert report["findings"] == [{"where": f"byte {len(exported) - 1}", "what": what}]
    report, _ = verified(exported[:-2], tmp_path)
    lines = exported.splitlines(keepends=True)
    where = f"line {len(lines)} (byte {len(exported) - len(lines[-1])})"
    assert report["findings"] == [
        {"where": where, "what": "the file ends in the middle of it"},
        {"where": "end", "what": "the last line, with the number of records, is missing"},
    ]


def test_check_cut_short__is_not_claimed(exported: bytes, tmp_path: Path) -> None:
    lines = exported.splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if b'"stake.terms-set.v1"' in line and b"events" in line)
    lines[number] = lines[number].replace(b"terms-1", b"terms-2")
    report, text = verified(b"".join(lines), tmp_path)
    record = json.loads(lines[number])["line"]
    place = f"{record['topic']}/{record['partition']}/{record['offset']}"
    byte = sum(map(len, lines[:number]))
    assert report["findings"][0]["where"] == f"line {number + 1} (byte {byte}, {place})"
    assert report["messages"] is None
    rows = {line[:20].strip(): line[20:].split(maxsplit=1)[1] for line in text.splitlines()[:6]}
    assert rows["decided again"] == "as far as could be checked: see the findings"
    assert (rows["messages"], rows["records"]) == ("not checked", "in the export")
    assert "recomputed" in rows["events"]
