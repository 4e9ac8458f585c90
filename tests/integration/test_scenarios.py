"""Every scenario: what it expects is so, twice the same, and a stranger who takes an export finds nothing wrong."""

import asyncio
import io
import json
import re
from pathlib import Path

import pytest

from services.cli.console import Console
from services.cli.scenario.model import read_scenario
from services.cli.scenario.run import Result, Simulation
from services.cli.scenario.show import Timeline
from services.kernel.export import read_export, write_export
from services.kernel.verify import verify
from services.registry import TOPIC_NAMES, decision_services
from services.relay.publish import PUBLISHES
from tests.support.command import adjudex, answers

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_expectations_are_met_and_the_log_verifies(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulation = Simulation(read_scenario(path), path, Timeline(Console(as_json=False)))
    export = io.BytesIO()

    async def run() -> Result:
        try:
            result = await simulation.run()
            await write_export(simulation.space, TOPIC_NAMES, simulation.store, export)
            return result
        finally:
            await simulation.close()

    result = asyncio.run(run())
    said = capsys.readouterr().out
    assert result.failures == [], said
    assert result.expectations > 0
    assert max(map(len, said.splitlines())) <= 100
    export.seek(0)
    report = verify(read_export(export), decision_services(), PUBLISHES)
    assert report.findings == []
    assert report.log_hash == result.log_hash


def test_twenty_scenarios_at_least__each_with_a_sentence_of_its_own() -> None:
    titles = [read_scenario(path).title for path in FILES]
    assert len(set(titles)) == len(titles) >= 20


def test_failed_expectations__exit_code_1_and_both_values() -> None:
    path = FOLDER / "failing" / "denied_is_not_paid.toml"
    ended = adjudex("simulate", path)
    assert ended.returncode == 1
    summary = ended.stdout[ended.stdout.index("6 of 10 expectations met") :].splitlines()
    assert summary[1:] == [
        "FAILED  timeline.3 at +3d12h1m: GET /v1/rounds/claim/harbor.1/1/1",
        '  outcome  expected  "accept"',
        '           is        "deny"',
        '  accept_minor  expected  "80000"',
        '                is        "0"',
        '  deny_minor  expected  "0"',
        '              is        "80000"',
        "FAILED  timeline.4 at +4d13h: GET /v1/claims/harbor.1/1",
        '  status  expected  "paid"',
        '          is        "denied"',
        '  paid_minor  expected  "20000"',
        '              is        "0"',
        "FAILED  timeline.5 at +4d13h: claim.paid.v1 on cover/harbor.1",
        '  (how often)  expected  "≥ 1"',
        "               is        0",
        "FAILED  timeline.6 at +5d: claim.file.v1, id claim.file-24",
        '  events.0  expected  "claim.filed.v1"',
        '            is        "refused.v1"',
    ]


def test_json__a_line_for_each_thing_and_the_same_log_every_time() -> None:
    path = FOLDER / "filed_too_early.toml"
    first, again = (adjudex("simulate", path, "--json") for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == again.stdout
    lines = answers(first.stdout)
    assert {line["kind"] for line in lines} == {"scenario", "input", "outcome", "event", "met", "end"}
    assert lines[-1] == {"file": str(path), "kind": "end", "expectations": 6, "failed": 0} | {
        "log_hash": lines[-1]["log_hash"]
    }
    failed = answers(adjudex("simulate", FOLDER / "failing" / "denied_is_not_paid.toml", "--json").stdout)
    of_tally, *_ = [line for line in failed if line["kind"] == "failed"]
    assert of_tally["differences"][0] == {"path": "outcome", "expected": "accept", "actual": "deny"}


def test_several_files__all_are_run_and_the_worst_exit_code_counts(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('title = "t"\n[[timeline]]\nat = "+1h"\n')
    good = FOLDER / "not_holder.toml"
    ended = adjudex("simulate", wrong, good, FOLDER / "failing" / "denied_is_not_paid.toml", "--json")
    assert ended.returncode == 2
    assert [line["file"] for line in answers(ended.stdout) if line["kind"] == "end"] == [
        str(good),
        str(FOLDER / "failing" / "denied_is_not_paid.toml"),
    ]
    assert answers(ended.stdout)[-1] == {
        "kind": "summary",
        "scenarios": 3,
        "failed": [str(FOLDER / "failing" / "denied_is_not_paid.toml")],
        "wrong": [str(wrong)],
    }
    (problem,) = [json.loads(line)["error"] for line in ended.stderr.splitlines()]
    assert problem == f'{wrong}: timeline.0: {{"at": "+1h"}}: must have one of post, get, event'


def test_first_scenario_of_the_page__runs_as_it_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    page = (FOLDER.parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    (first, *_) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(first)
    ended = adjudex("simulate", path)
    assert ended.returncode == 0
    shown = [line for line in page[page.index("$ adjudex simulate") :].split("```")[0].splitlines()[3:] if line != "…"]
    assert [line for line in shown[:-1] if line not in ended.stdout.splitlines()] == []
    assert shown[-1].partition(";")[0] in ended.stdout
    path.write_text(first.replace("amount = 50_000", "amount = 10_000"))
    assert adjudex("simulate", path).returncode == 1
