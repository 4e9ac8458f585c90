"""Comparing what is expected with what is; names and instants in braces; what a run promises."""

from pathlib import Path
from typing import Any

import pytest

from services.cli.scenario.compare import MISSING, Difference, differences
from services.cli.scenario.names import ASSET, Names, UnknownNameError, account
from tests.support.command import adjudex, answers
from tests.unit.cli.test_scenario_file import GIVEN

NAMES = Names(1_700_000_000_000, ["alice", "bob"])


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({}, {"a": 1}),
        ({"a": {"b": "1"}}, {"a": {"b": "1", "c": 2}, "d": 3}),
        (["a", {"b": 1}], ["a", {"b": 1, "c": 2}]),
        ("…", None),
        ("at most 5…", "at most 50: of 50"),
        ("…of 50", "at most 50: of 50"),
        ("…most…", "at most 50"),
        (None, None),
        (False, False),
    ],
)
def test_contained__nothing_differs(expected: object, actual: object) -> None:
    assert differences(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {}, [Difference("a", 1, MISSING)]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)]),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}, [Difference("a", 1, 2), Difference("b", 2, 1)]),
        (["a"], ["a", "b"], [Difference("", ["a"], ["a", "b"])]),
        (["a", "b"], ["a", "c"], [Difference("1", "b", "c")]),
        ("1", 1, [Difference("", "1", 1)]),
        (1, True, [Difference("", 1, True)]),
        ("…", MISSING, [Difference("", "…", MISSING)]),
        ("5…", "45", [Difference("", "5…", "45")]),
        ({"a": {"b": 1}}, {"a": []}, [Difference("a", {"b": 1}, [])]),
    ],
)
def test_not_contained__each_place_with_both_values(expected: object, actual: object, found: list[Difference]) -> None:
    assert differences(expected, actual) == found


def test_braces__stand_for_accounts_instants_and_the_asset() -> None:
    filled = NAMES.fill({"who": "{alice}", "when": ["{+1d2h}", "{-1s}"], "asset": "{asset}", "n": 1, "text": "{{x}}"})
    assert filled == {
        "who": account("alice"),
        "when": ["2023-11-16T00:13:20.000Z", "2023-11-14T22:13:19.000Z"],
        "asset": ASSET,
        "n": 1,
        "text": "{x}",
    }
    assert NAMES.fill("assessor/{bob}") == f"assessor/{account('bob')}"


@pytest.mark.parametrize("text", ["{carol}", "{}", "{+1x}", "{+}", "{1d}"])
def test_braces_around_nothing_known__say_what_is_accepted(text: str) -> None:
    with pytest.raises(
        UnknownNameError, match=r"must be a name of given \(alice, bob\), asset, or an instant"
    ) as error:
        NAMES.fill(text)
    assert error.value.held == text


def test_plain__names_and_offsets_instead_of_accounts_and_instants() -> None:
    said = f"{account('alice')} at 2023-11-16T00:13:20.000Z, not {account('carol')} at 2023-11-14T22:13:19.500Z"
    assert NAMES.plain(said) == f"alice at +1d2h, not {account('carol')} at -0s500ms"


def run(tmp_path: Path, steps: str, *more: str) -> list[dict[str, Any]]:
    path = tmp_path / "s.toml"
    path.write_text(f'title = "t"{GIVEN}{steps}')
    ended = adjudex("simulate", path, "--json", *more)
    assert ended.stderr == ""
    return answers(ended.stdout)


def test_input_of_which_nothing_is_expected__must_be_decided(tmp_path: Path) -> None:
    step = '[[timeline]]\nat = "+1h"\npost = "claim.file.v1"\ncontent = { cover = "harbor.1", claimant = "{alice}" }\n'
    (failed,) = [line for line in run(tmp_path, step) if line["kind"] == "failed"]
    assert (failed["path"], failed["differences"]) == (
        "timeline.0",
        [{"path": "fate", "expected": "decided", "actual": "refused"}],
    )


def test_question__status_and_answer_of_the_api(tmp_path: Path) -> None:
    asked = '[[timeline]]\nat = "+1h"\nget = "/v1/covers/{}"\n'
    steps = [
        asked.format("harbor.1") + 'answer = { holder = "{alice}", claims = [] }\n',
        asked.format("harbor.2") + "status = 404\n",
        asked.format("harbor.2"),
        asked.format("harbor.1").replace("/harbor.1", "?holder={alice}&limit=5")
        + 'answer.items = [{ id = "harbor.1" }]\n',
    ]
    said = run(tmp_path, "".join(steps))
    assert [line["kind"] for line in said[-5:]] == ["met", "met", "failed", "met", "end"]
    assert said[-3]["differences"] == [{"path": "(status)", "expected": 200, "actual": 404}]


def test_raw_value__is_posted_as_it_is_and_set_aside(tmp_path: Path) -> None:
    step = '[[timeline]]\nat = "+1h"\npost = "claim.file.v1"\nraw = "Dear Sirs"\nexpect.fate = "set-aside"\n'
    assert run(tmp_path, step)[-1]["failed"] == 0


def test_same_id_again__is_a_duplicate(tmp_path: Path) -> None:
    step = (
        '[[timeline]]\nat = "+1h"\nid = "cover-2"\npost = "cover.request.v1"\ncontent = { pool = "harbor", '
        'product = "vault", holder = "{alice}", amount_minor = "10", period = "30d", premium_max_minor = "9", '
        'transaction = "0x1" }\n'
    )
    again = step.replace("+1h", "+2h") + 'expect.fate = "duplicate"\n'
    assert run(tmp_path, step + again)[-1]["failed"] == 0


def test_nobody_vouches__is_refused(tmp_path: Path) -> None:
    step = (
        '[[timeline]]\nat = "+1h"\nas = "nobody"\npost = "assessor.register.v1"\ncontent = { assessor = "{alice}" }\n'
        'expect = { fate = "refused", refusal = { rule = "proof.missing" } }\n'
    )
    assert run(tmp_path, step)[-1]["failed"] == 0


def test_input_at_the_very_end_of_a_window__is_answered_after_the_end(tmp_path: Path) -> None:
    steps = """
[rulebook.changes]
incident.procedure.0.required_weight = 1
[[given.assessors]]
name = "nina"
stake = 100
[[timeline]]
at = "+1h"
as = "watch"
post = "incident.report.v1"
content = { product = "vault", reference = "r-1", occurred_at = "{+0s}", summary = "drained" }
[[timeline]]
at = "+3d"
post = "claim.file.v1"
content = { cover = "harbor.1", claimant = "{alice}", incident = "vault/1", amount_minor = "10" }
[[timeline]]
at = "+6d"
post = "vote.cast.v1"
content = { case = "claim/harbor.1/1", assessor = "{nina}", choice = "accept", clause = "4.1" }
expect = { fate = "refused", at = "{+6d}", refusal = { rule = "vote.no-open-round" } }
"""
    said = run(tmp_path, steps)
    assert said[-1]["failed"] == 0, said
    (closed,) = [line for line in said if line.get("wire") == "ballot.closed.v1"]
    assert closed["at"] == "2026-03-08T09:00:00.000Z"


def test_data__keeps_the_log_for_the_other_commands(tmp_path: Path) -> None:
    last = run(tmp_path, "", "--data", str(tmp_path / "data"))[-1]
    verified = adjudex("log", "verify", "--data", tmp_path / "data", "--json")
    assert answers(verified.stdout)[-1]["log_hash"] == last["log_hash"]
    again = adjudex("simulate", tmp_path / "s.toml", "--data", tmp_path / "data")
    assert (again.returncode, again.stdout) == (1, "")
    assert "has a space" in again.stderr
