"""Rulebooks on the command line: checked, shown, compared."""

import json
from pathlib import Path

import pytest

from services.governance.rulebooks import read_shipped, shipped
from tests.support.command import adjudex, answers

HOUSE = read_shipped("house")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(HOUSE.replace("version = 1", "version = 2").replace('window = "72h"', 'window = "96h"'))
    return path


@pytest.mark.parametrize("name", shipped())
def test_lint__nothing_against_those_that_ship(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(read_shipped(name))
    ended = adjudex("rulebook", "lint", path, "--json")
    assert ended.returncode == 0
    (said,) = answers(ended.stdout)
    assert (said["file"], said["problems"], said["notes"]) == (str(path), [], [])
    assert adjudex("rulebook", "lint", path).stdout == f"{path}: {said['rulebook']} is fine\n"


def test_lint__every_problem_of_every_file(mine: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(HOUSE.replace('grace = "35d"', 'grace = "soon"').replace("evidence_max", "evidences"))
    ended = adjudex("rulebook", "lint", wrong, mine)
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert lines[0] == f"{wrong}: no rulebook"
    assert lines[1].startswith('  claim.intake.grace: "soon": must be a span such as 3d')
    assert lines[-1] == f"{mine}: house@2 is fine"
    (first, second) = answers(adjudex("rulebook", "lint", wrong, mine, "--json").stdout)
    assert [problem.partition(":")[0] for problem in first["problems"]] == [
        "claim.intake.grace",
        "claim.intake.evidences",
    ]
    assert second["problems"] == []


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ('after = "12h"', 'after = "72h"', "claim.procedure.0.early_close.after: not before the window's end"),
        ('alarm = "72h"', "", "incident.alarm: missing"),
        ('cut_off = "14d"', 'cut_off = "72h"', "claim.settlement.cut_off: not after claim.intake.not_before"),
        ('"claimant", "holders", "providers"', '"claimant", "holders"', "claim.procedure.0.provider_share_bps: means"),
        ('["claimant", "holders"', '["holders"', "claim.procedure.0.excluded: without claimant"),
        ("wrong_bps = 10", "wrong_bps = 0", "claim.procedure.0.incentives.wrong_bps: 0"),
    ],
)
def test_lint__notes_what_is_rarely_meant(before: str, after: str, note: str, tmp_path: Path) -> None:
    assert before in HOUSE
    path = tmp_path / "odd.toml"
    path.write_text(HOUSE.replace(before, after))
    ended = adjudex("rulebook", "lint", path, "--json")
    assert ended.returncode == 0
    (said,) = answers(ended.stdout)
    assert [held.startswith(note) for held in said["notes"]] == [True]


def test_show__every_value_by_its_path_and_the_hash() -> None:
    said = adjudex("rulebook", "show", "house").stdout.splitlines()
    assert said[0] == "house@1"
    values = dict(line.split(None, 1) for line in said if line.startswith(("claim.", "incident.", "halt.")))
    assert values["claim.intake.grace"] == "35d"
    assert values["claim.procedure.0.agreement.comparison"] == "more-than"
    assert values["incident.procedure.0.required_weight"] == "3"
    shown = json.loads(adjudex("rulebook", "show", "house", "--json").stdout)
    assert f"sha256 {shown['sha256']}" in said
    assert shown["content"]["claim"]["intake"]["grace"] == "35d"


def test_diff__what_differs_besides_the_version(mine: Path) -> None:
    ended = adjudex("rulebook", "diff", "house", mine, "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {
        "from": "house@1",
        "to": "house@2",
        "changes": ['claim.procedure.0.window: "3d" → "4d"'],
    }
    assert '  claim.procedure.0.window: "3d" → "4d"' in adjudex("rulebook", "diff", "house", mine).stdout
    same = adjudex("rulebook", "diff", mine, mine)
    assert same.returncode == 0
    assert "nothing differs" in same.stdout


@pytest.mark.parametrize("command", [("show", "none"), ("diff", "house", "none")])
def test_no_such_rulebook__refused_with_those_there_are(command: tuple[str, ...]) -> None:
    ended = adjudex("rulebook", *command)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no rulebook of the name none ships" in ended.stderr
    assert "house" in ended.stderr


def test_no_rulebook_file__refused_with_its_first_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    assert "cannot be read" in adjudex("rulebook", "show", path).stderr
    path.write_text('name = "x"')
    ended = adjudex("rulebook", "show", path)
    assert ended.returncode == 1
    assert "version: missing: must be given" in ended.stderr
    assert "rulebook lint" in ended.stderr
