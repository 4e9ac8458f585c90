"""What an id is, where it stands, and why: on the log of a scenario in which capital was short."""

import json
from pathlib import Path

import pytest

from services.cli.scenario.names import account
from tests.support.command import Answer, adjudex, answers

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def kept(folder: Path, name: str) -> Path:
    assert adjudex("simulate", SCENARIOS / f"{name}.toml", "--data", folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("short"), "held_share_freed_by_denial")


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("refused"), "wrong_vote_without_reason_loses")


def said(data: Path, command: str, what: str) -> list[Answer]:
    ended = adjudex(command, what, "--data", data, "--json")
    assert ended.returncode == 0, ended.stderr
    return answers(ended.stdout)


@pytest.mark.parametrize(
    ("what", "kind", "key", "state"),
    [
        ("harbor.1/1", "claim", "cover/harbor.1", "approved, 80000 claimed, 52000 allocated"),
        ("harbor.3/1", "claim", "cover/harbor.3", "denied, 40000 claimed"),
        ("harbor.1", "cover", "cover/harbor.1", "80000 of 80000 left, 1 claims"),
        ("vault/1", "incident", "product/vault", "confirmed, 1 reports"),
        ("claim/harbor.3/1", "case", "case/claim/harbor.3/1", "ruled: deny"),
        ("incident/vault/1", "case", "case/incident/vault/1", "ruled: accept"),
        ("harbor.1/1/1", "payout", "payout/harbor.1/1/1", "suspended"),
        ("harbor", "pool", "pool/harbor", "cash 104000, payable 104000, unfunded 56000, deferred 56000"),
        (account("nina"), "assessor", f"assessor/{account('nina')}", "100000 at stake"),
        ("vault", "product", "scope/main", "sold by pool harbor, new cover under house@1: open"),
        ("house@1", "rulebook", "scope/main", "published, sha256"),
        ("gateway", "principal", "scope/main", "act for all accounts"),
    ],
)
def test_whois__kind_state_and_where_it_stands(what: str, kind: str, key: str, state: str, data: Path) -> None:
    (found,) = [line for line in said(data, "whois", what) if line["kind"] == kind]
    assert (found["id"], found["key"]) == (what, key)
    assert state in found["state"]
    assert found["last_position"].partition("/")[0].endswith(".events")


def test_whois_and_explain__an_account_with_what_it_holds_filed_and_receives(data: Path) -> None:
    alice = account("alice")
    (found,) = said(data, "whois", alice)
    assert found["kind"] == "account"
    assert found["state"] == "account: holds cover harbor.1; filed harbor.1/1; receives harbor.1/1/1, harbor.1/1/2"
    assert "key" not in found
    assert found["last_position"].startswith("payouts.events/")
    types = [line["type"] for line in said(data, "explain", f"account/{alice}")[1:]]
    assert types[:3] == ["cover.sold.v1", "cover.registered.v1", "claim.filed.v1"]


def test_explain__of_a_pool_each_event_says_whom_it_is_about(data: Path) -> None:
    told = adjudex("explain", "harbor", "--data", data).stdout
    assert "says    provider eip155:1:0x" in told
    assert "says    cover harbor.2, holder " in told
    assert "says    incident vault/1, cover harbor.3, claim harbor.3/1, amount_minor 40000, status undecided" in told
    assert "pool harbor, " not in told


def test_whois__one_that_names_two_things_names_one_with_its_kind(data: Path) -> None:
    assert [line["kind"] for line in said(data, "whois", "claim/harbor.1/1")] == ["case", "claim"]
    assert [line["kind"] for line in said(data, "whois", "pool/harbor")] == ["pool"]


@pytest.mark.parametrize("command", ["whois", "explain"])
def test_nothing_of_that_name__refused(command: str, data: Path) -> None:
    ended = adjudex(command, "harbor.9", "--data", data)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "is called harbor.9" in ended.stderr


def steps(lines: list[Answer], wire: str) -> list[Answer]:
    return [step for line in lines if line.get("type") == wire for step in line["steps"]]


def test_explain_claim__from_votes_to_each_allocation_with_its_arithmetic(data: Path) -> None:
    lines = said(data, "explain", "harbor.1/1")
    quorum, agreement, count = steps(lines, "ballot.closed.v1")
    assert quorum == {
        "rule": "quorum of eligible-stake",
        "inputs": {"part": "80000", "whole": "400000", "needs": "more-than 1000 bps"},
        "result": "met",
    }
    assert (agreement["result"], count["result"]) == ("met", "accept")
    first, topped_up = steps(lines, "claim.allocated.v1")
    assert first["inputs"]["owed_by_all_minor"] == "200000"
    assert (first["result"], topped_up["result"]) == ("41600", "10400")
    assert [line["type"] for line in lines[1:]].count("payout.instructed.v1") == 2
    assert lines[0]["state"].endswith("approved, 80000 claimed, 52000 allocated")
    assert [line["at"] for line in lines[1:]] == sorted(line["at"] for line in lines[1:])


def test_explain_claim__causes_before_what_they_cause_at_the_same_instant(data: Path) -> None:
    steps = said(data, "explain", "harbor.1/1")
    settled = [step for step in steps if step.get("type") == "incident.settled.v1"][-1]
    types = [step["type"] for step in steps if step.get("at") == settled["at"]]
    wanted = ["incident.settled.v1", "claim.allocated.v1", "payout.instructed.v1"]
    assert [name for name in types if name in wanted] == wanted


def test_explain_payout__the_arithmetic_of_its_amount(data: Path) -> None:
    lines = said(data, "explain", "harbor.1/1/2")
    assert [step["result"] for step in steps(lines, "payout.instructed.v1")] == ["10400"]
    assert "claim.allocated.v1" in {line.get("type") for line in lines}


def test_explain_cover__what_its_premium_comes_from(data: Path) -> None:
    arithmetic = steps(said(data, "explain", "harbor.1"), "cover.sold.v1")
    assert arithmetic[-1]["result"] == "1600"


def test_explain_pool__every_entry_and_the_books(data: Path) -> None:
    lines = said(data, "explain", "pool/harbor")
    assert lines[-1]["books"] | {"cash": "104000", "payable": "104000"} == lines[-1]["books"]
    assert [line["type"] for line in lines[1:-1]].count("incident.settled.v1") == 2


def test_explain_incident_and_case__reports_and_votes(data: Path) -> None:
    (count,) = steps(said(data, "explain", "vault/1"), "corroboration.closed.v1")
    assert count["inputs"] == {"weight of the reports": "1", "required": "1"}
    assert "vote.counted.v1" in {line.get("type") for line in said(data, "explain", "claim/harbor.3/1")}


def test_explain_assessor__what_a_vote_lost(refusals: Path) -> None:
    lines = said(refusals, "explain", account("nina"))
    (settled,) = [line for line in lines if line.get("type") == "stake.settled.v1"]
    assert settled["event"]["forfeited_minor"] == "100"
    assert lines[0]["state"] == "assessor: 99900 at stake"


def test_explain_input__rule_value_and_what_is_accepted(tmp_path: Path) -> None:
    data = kept(tmp_path / "early", "filed_too_early")
    story = answers(adjudex("simulate", SCENARIOS / "filed_too_early.toml", "--json").stdout)
    (refused,) = [line["outcome"] for line in story if line["kind"] == "outcome" and line["outcome"]["refusal"]]
    lines = said(data, "explain", refused["input_id"])
    assert lines[0]["state"] == "refused"
    (step,) = lines[1]["steps"]
    assert (step["rule"], step["result"]) == ("claim.too-early", "refused")
    assert step["inputs"]["accepted from"] == "2026-03-05T09:00:00.000Z"
    (found,) = said(data, "whois", refused["input_id"])
    assert (found["kind"], found["state"], found["type"]) == ("input", "refused", "claim.file.v1")


def test_text__within_100_columns_and_without_json(data: Path) -> None:
    for command, what in (("explain", "harbor.1/1"), ("whois", "harbor"), ("explain", "harbor")):
        text = adjudex(command, what, "--data", data).stdout
        assert max(map(len, text.splitlines())) <= 110
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(text)
