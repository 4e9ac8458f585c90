"""The demonstration: what its story promises is there, in the words of its own JSON lines, and nothing is left open."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from schemas.instants import parse_instant
from services.kernel.export import read_export
from services.kernel.verify import verify
from services.registry import DECISION_SERVICES
from services.relay.publish import PUBLISHES
from tests.integration.processes import ROOT
from tests.support.command import Answer, adjudex, answers

HOUR = 3_600_000


@cache
def ran() -> str:
    """What one run says to programs."""
    run = adjudex("demo", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@cache
def told() -> tuple[Answer, ...]:
    return tuple(answers(ran()))


@cache
def shown() -> str:
    """What one run says to people, started as a module of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "services.cli.demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that one run kept."""
    data = tmp_path_factory.mktemp("demo") / "space"
    assert adjudex("demo", "--data", data).returncode == 0
    return data


def lines(kind: str) -> list[Answer]:
    return [line for line in told() if line["type"] == kind]


def outcomes() -> list[Answer]:
    return lines("outcome")


def outcome(input_id: str) -> Answer:
    """What became of an input whose id was used once."""
    (found,) = [line for line in outcomes() if line["input_id"] == input_id]
    return found


def events(wire: str, key: str) -> list[Answer]:
    return [line for line in lines("event") if (line["wire"], line["key"]) == (wire, key)]


def contents(found: Iterable[Answer]) -> list[Answer]:
    return [line["content"] for line in found]


def usdc(whole: int) -> str:
    return str(whole * 10**6)


# --- the run


def test_runs_are_alike_to_the_byte__whatever_the_hash_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    first = ran()
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    assert adjudex("demo", "--json").stdout == first


def test_last_line_has_the_hash_that_the_verifier_computes(kept: Path) -> None:
    with (kept / "export.jsonl").open("rb") as file:
        report = verify(read_export(file), DECISION_SERVICES, PUBLISHES)
    assert report.clean
    last = told()[-1]
    assert last["log_hash"] == report.log_hash
    assert (last["clean"], last["findings"]) == (True, [])
    assert last["decided_again"] == report.decided_again > len(outcomes())


def test_kept_log_is_one_that_the_other_commands_read(kept: Path) -> None:
    verified = adjudex("log", "verify", "--data", kept, "--json")
    assert json.loads(verified.stdout)["log_hash"] == told()[-1]["log_hash"]
    assert "claim.too-early" in adjudex("log", "show", "cover/cover-alice", "--data", kept).stdout


@pytest.mark.parametrize("name", ["space.sqlite", "export.jsonl"])
def test_directory_that_has_a_log_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    run = adjudex("demo", "--data", tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert f"{name} exists" in " ".join(run.stderr.split())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    run = adjudex("demo", "--data", tmp_path / "file" / "data")
    assert run.returncode == 1
    assert "what to do: " in run.stderr
    assert "Traceback" not in run.stderr


def test_every_line_has_a_type_and_an_instant_and_every_input_one_outcome() -> None:
    assert all(parse_instant(line["at"]) > 0 and line["type"] for line in told())
    assert Counter(line["position"] for line in lines("input")) == Counter(line["position"] for line in outcomes())


# --- what is refused


def test_refusals_are_those_of_the_story() -> None:
    refused = [(line["input_id"], line["refusal"]["rule"]) for line in outcomes() if line["fate"] == "refused"]
    assert refused == [
        ("report-pool-sentry-2", "report.repeated"),
        ("report-free-lunch-1", "proof.principal-unknown"),
        ("alice-files", "claim.too-early"),
        ("mallory-files", "claim.not-holder"),
        ("carol-files", "input.id-reused"),
        ("alice-on-alice-files-again", "vote.excluded"),
        ("rosa-on-alice-files-again", "vote.no-open-round"),
        ("mistyped-cover-erin-1-1-1", "receipt.mismatch"),
        ("erin-files-too-much", "claim.amount-above-remaining"),
    ]
    assert all(line["refusal"]["value"] and line["refusal"]["accepted"] for line in outcomes() if line["refusal"])


def test_letter_is_set_aside_and_repeat_counts_once() -> None:
    assert outcome("erin-writes")["fate"] == "set-aside"
    assert outcome("erin-writes")["reason"].startswith("not-json")
    first, again, changed = [line for line in outcomes() if line["input_id"] == "carol-files"]
    assert (first["fate"], again["fate"], changed["fate"]) == ("decided", "duplicate", "refused")
    assert again["of"] == first["position"]
    assert len(events("claim.filed.v1", "cover/cover-carol")) == 1


def test_claim_that_was_too_early_is_accepted_at_the_instant_the_refusal_names() -> None:
    refused, again = outcome("alice-files"), outcome("alice-files-again")
    assert again["at"] == refused["refusal"]["not_before"] > refused["at"]
    assert again["events"] == ["claim.filed.v1"]


def test_amount_that_the_refusal_would_accept_is_accepted() -> None:
    accepted = outcome("erin-files-too-much")["refusal"]["accepted"]
    assert accepted.startswith(f"at most {usdc(15_000)}: of {usdc(40_000)}, {usdc(25_000)} is paid")
    (filed,) = contents(line for line in events("claim.filed.v1", "cover/cover-erin"))[1:]
    assert filed["amount_minor"] == usdc(15_000)


# --- what is decided


def test_three_bots_confirm_each_incident_once() -> None:
    for number, producers in (
        (1, ["chain-watch", "pool-sentry", "night-owl"]),
        (2, ["night-owl", "chain-watch", "pool-sentry"]),
    ):
        counted = contents(events("report.counted.v1", f"case/incident/harbor-vault/{number}"))
        assert [content["producer"] for content in counted] == producers
    decided = contents(events("incident.decided.v1", "product/harbor-vault"))
    assert [(content["incident"], content["status"]) for content in decided] == [
        ("harbor-vault/1", "confirmed"),
        ("harbor-vault/2", "confirmed"),
    ]


def test_contested_vote_is_capped_without_the_claimant_and_closed_on_time() -> None:
    case = "case/claim/cover-alice/1"
    (opened,), (closed,) = events("ballot.opened.v1", case), events("ballot.closed.v1", case)
    assert opened["content"]["eligible_stake_minor"] == usdc(1_000_000)
    assert opened["content"]["cap_minor"] == usdc(50_000)
    votes = contents(events("vote.counted.v1", case))
    weights = [(vote["choice"], vote["stake_minor"], vote["weight_minor"]) for vote in votes]
    assert weights == [
        ("deny", usdc(600_000), usdc(50_000)),
        ("accept", usdc(150_000), usdc(50_000)),
        ("deny", usdc(45_000), usdc(45_000)),
        ("accept", usdc(120_000), usdc(50_000)),
        ("accept", usdc(30_000), usdc(30_000)),
    ]
    claimant = contents(events("claim.filed.v1", "cover/cover-alice"))[0]["claimant"]
    assert [content["assessor"] for content in contents(events("assessor.excluded.v1", case))] == [claimant]
    assert closed["content"] | {"accept_minor": usdc(130_000), "deny_minor": usdc(95_000)} == closed["content"]
    assert (closed["content"]["rule"], closed["content"]["outcome"], closed["content"]["early"]) == (
        "agreement",
        "accept",
        False,
    )
    assert closed["at"] == opened["content"]["closes_at"]
    late = outcome("rosa-on-alice-files-again")
    assert late["at"] > closed["at"]
    assert f"whose ballot ended at {closed['at']}" in late["refusal"]["value"]


def test_vote_of_all_closes_early_and_denies() -> None:
    (closed,) = events("ballot.closed.v1", "case/claim/cover-carol/1")
    assert (closed["content"]["early"], closed["content"]["outcome"]) == (True, "deny")
    assert closed["content"]["heads"] == closed["content"]["eligible_heads"] == 7
    (cooldown,) = contents(events("cooldown.opened.v1", "case/claim/cover-carol/1"))
    (denied,) = events("claim.denied.v1", "cover/cover-carol")
    assert parse_instant(denied["at"]) >= parse_instant(cooldown["closes_at"])


# --- what is paid


def test_failed_transfer_is_tried_again_with_longer_waits_until_it_is_confirmed() -> None:
    key = "payout/cover-alice/1/1"
    failed = events("payout.failed.v1", key)
    waits = [parse_instant(line["content"]["retry_at"]) - parse_instant(line["at"]) for line in failed]
    assert waits == [HOUR, 2 * HOUR]
    instructed = [line for line in lines("instruction") if line["reference"] == "cover-alice/1/1"]
    assert [line["attempt"] for line in instructed] == [1, 2, 3]
    assert [parse_instant(line["at"]) // HOUR for line in instructed[1:]] == [
        parse_instant(line["content"]["retry_at"]) // HOUR for line in failed
    ]
    (confirmed,) = contents(events("payout.confirmed.v1", key))
    assert confirmed["attempt"] == 3


def test_receipt_that_does_not_match_is_flagged_and_the_right_one_counts() -> None:
    (flagged,) = contents(events("receipt.flagged.v1", "payout/cover-erin/1/1"))
    assert flagged["input_id"] == "mistyped-cover-erin-1-1-1"
    assert flagged["mismatches"] == {"amount_minor": f"25000 instead of {usdc(25_000)}"}
    (confirmed,) = contents(events("payout.confirmed.v1", "payout/cover-erin/1/1"))
    assert confirmed["amount_minor"] == usdc(25_000)


def test_treasury_answers_what_was_instructed_and_nothing_else() -> None:
    known: set[tuple[str, int]] = set()
    answered: set[tuple[str, int]] = set()
    for line in told():
        if line["type"] == "instruction":
            known.add((line["reference"], line["attempt"]))
        elif line["type"] == "input" and line["stream"] == "payout.receipts":
            attempt = (line["content"]["payout"], line["content"]["attempt"])
            assert attempt in known
            answered.add(attempt)
    assert answered == known


def test_balances_are_what_was_paid() -> None:
    balances = {
        line["cover"]: (line["amount_minor"], line["paid_minor"], line["remaining_minor"]) for line in lines("balance")
    }
    assert balances == {
        "cover-alice": (usdc(50_000), usdc(42_000), usdc(8_000)),
        "cover-carol": (usdc(30_000), usdc(0), usdc(30_000)),
        "cover-erin": (usdc(40_000), usdc(40_000), usdc(0)),
    }


# --- for people


def test_timeline_is_plain_text_of_100_columns_that_names_the_hash_last() -> None:
    assert shown().isascii()
    assert "\x1b" not in shown()
    assert max(map(len, shown().splitlines())) <= 100
    assert shown().splitlines()[-1] == f"log hash {told()[-1]['log_hash']}"


def test_timeline_says_of_each_refusal_rule_value_what_would_be_accepted_and_from_when() -> None:
    text = " ".join(shown().split())
    for line in outcomes():
        if line["fate"] == "refused":
            assert f"refused {line['refusal']['rule']} value " in text
    assert "claim.too-early value a filing of day 2 11:00 accepted a filing from day 5 10:02 from day 5 10:02" in text
    assert "next attempt 3 is instructed; by day 9 13:42" in text
