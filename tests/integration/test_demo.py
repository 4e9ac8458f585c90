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
from services.registry import decision_services
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


def lines_of(wire: str) -> list[Answer]:
    return [line for line in lines("event") if line["wire"] == wire]


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
        report = verify(read_export(file), decision_services(), PUBLISHES)
    assert report.clean
    last = told()[-1]
    assert last["log_hash"] == report.log_hash
    assert (last["clean"], last["findings"]) == (True, [])
    assert last["decided_again"] == report.decided_again > len(outcomes())


def test_kept_log_is_one_that_the_other_commands_read(kept: Path) -> None:
    verified = adjudex("log", "verify", "--data", kept, "--json")
    assert json.loads(verified.stdout)["log_hash"] == told()[-1]["log_hash"]
    assert "claim.too-early" in adjudex("log", "show", "cover/harbor-pool.1", "--data", kept).stdout


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


def test_serving_what_runs_on_a_cluster_is_refused() -> None:
    run = adjudex("demo", "--kafka", "127.0.0.1:1", "--serve", "127.0.0.1:8080")
    assert (run.returncode, run.stdout) == (1, "")
    assert "--serve is for the embedded log" in " ".join(run.stderr.split())


def test_every_line_has_a_type_and_an_instant_and_every_input_one_outcome() -> None:
    assert all(parse_instant(line["at"]) > 0 and line["type"] for line in told())
    assert Counter(line["position"] for line in lines("input")) == Counter(line["position"] for line in outcomes())


# --- what is refused


def test_refusals_are_those_of_the_story() -> None:
    refused = [(line["input_id"], line["refusal"]["rule"]) for line in outcomes() if line["fate"] == "refused"]
    assert refused == [
        ("erin-buys-too-much", "cover.above-capacity"),
        ("dora-is-quick", "cover.product-alarmed"),
        ("report-pool-sentry-2", "report.repeated"),
        ("report-free-lunch-1", "proof.principal-unknown"),
        ("alice-files", "claim.too-early"),
        ("mallory-files", "claim.not-holder"),
        ("carol-files", "input.id-reused"),
        ("erin-files-too-much", "claim.amount-above-remaining"),
        ("alice-on-alice-files-again", "vote.excluded"),
        ("rosa-on-alice-files-again", "vote.no-open-round"),
        ("mistyped-harbor-pool.3-1-1-1", "receipt.mismatch"),
    ]
    assert all(line["refusal"]["value"] and line["refusal"]["accepted"] for line in outcomes() if line["refusal"])


def test_letter_is_set_aside_and_repeat_counts_once() -> None:
    assert outcome("erin-writes")["fate"] == "set-aside"
    assert outcome("erin-writes")["reason"].startswith("not-json")
    first, again, changed = [line for line in outcomes() if line["input_id"] == "carol-files"]
    assert (first["fate"], again["fate"], changed["fate"]) == ("decided", "duplicate", "refused")
    assert again["of"] == first["position"]
    assert len(events("claim.filed.v1", "cover/harbor-pool.2")) == 1


def test_claim_that_was_too_early_is_accepted_at_the_instant_the_refusal_names() -> None:
    refused, again = outcome("alice-files"), outcome("alice-files-again")
    assert again["at"] == refused["refusal"]["not_before"] > refused["at"]
    assert again["events"] == ["claim.filed.v1"]


def test_sale_is_refused_with_what_would_fit_and_a_smaller_one_is_made() -> None:
    refused, sold = outcome("erin-buys-too-much"), outcome("erin-buys")
    assert refused["refusal"]["accepted"] == "at most 81245500000"
    assert sold["events"] == ["cover.sold.v1"]


def test_filing_above_the_cover_is_refused_with_what_remains() -> None:
    assert outcome("erin-files-too-much")["refusal"]["accepted"].startswith(f"at most {usdc(40_000)}: ")
    (filed,) = contents(events("claim.filed.v1", "cover/harbor-pool.3"))
    assert filed["amount_minor"] == usdc(25_000)


# --- what is decided


def test_three_bots_confirm_the_incident__and_the_first_stops_the_sale() -> None:
    counted = contents(events("report.counted.v1", "case/incident/harbor-vault/1"))
    assert [content["producer"] for content in counted] == ["chain-watch", "pool-sentry", "night-owl"]
    (decided,) = contents(events("incident.decided.v1", "product/harbor-vault"))
    assert (decided["incident"], decided["status"], decided["by_finding"]) == ("harbor-vault/1", "confirmed", False)
    (alarmed,) = contents(events("incident.alarmed.v1", "product/harbor-vault"))
    assert outcome("dora-is-quick")["refusal"]["not_before"] == alarmed["until"]


def test_contested_vote_is_capped_without_the_claimant_and_closed_on_time() -> None:
    case = "case/claim/harbor-pool.1/1"
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
    claimant = contents(events("claim.filed.v1", "cover/harbor-pool.1"))[0]["claimant"]
    assert [content["assessor"] for content in contents(events("assessor.excluded.v1", case))] == [claimant]
    assert closed["content"] | {"accept_minor": usdc(130_000), "deny_minor": usdc(95_000)} == closed["content"]
    assert (closed["content"]["rule"], closed["content"]["outcome"], closed["content"]["early"]) == (
        "agreement",
        "accept",
        False,
    )
    (halted,) = contents(events("case.halted.v1", case))
    moved = parse_instant(halted["closes_at"]) - parse_instant(opened["content"]["closes_at"])
    assert moved == parse_instant(halted["until"]) - parse_instant(halted["effective_at"]) == 12 * HOUR
    assert closed["at"] == halted["closes_at"]
    late = outcome("rosa-on-alice-files-again")
    assert late["at"] > closed["at"]
    assert f"whose ballot ended at {closed['at']}" in late["refusal"]["value"]


def test_vote_of_all_closes_early_and_denies() -> None:
    (closed,) = events("ballot.closed.v1", "case/claim/harbor-pool.2/1")
    assert (closed["content"]["early"], closed["content"]["outcome"]) == (True, "deny")
    assert closed["content"]["heads"] == closed["content"]["eligible_heads"] == 6
    (cooldown,) = contents(events("cooldown.opened.v1", "case/claim/harbor-pool.2/1"))
    (denied,) = events("claim.denied.v1", "cover/harbor-pool.2")
    assert parse_instant(denied["at"]) >= parse_instant(cooldown["closes_at"])


def test_excluded_are_the_claimant_and_who_holds_cover_of_the_incident() -> None:
    excluded = contents(events("assessor.excluded.v1", "case/claim/harbor-pool.2/1"))
    assert sorted(content["reason"].split(" ")[0] for content in excluded) == ["holds", "is"]


def test_votes_against_the_ruling_without_a_rationale_lose_to_those_for_it() -> None:
    (settled,) = contents(events("round.settled.v1", "case/claim/harbor-pool.2/1"))
    assert settled["forfeited_minor"] == usdc(30)
    (votes,) = contents(events("votes.settled.v1", "case/claim/harbor-pool.2/1"))
    assert sum(int(line["reward_minor"]) for line in votes["lines"]) == int(usdc(30))
    (alice_case,) = contents(events("votes.settled.v1", "case/claim/harbor-pool.1/1"))
    lost = {line["stake_minor"]: line["forfeit_minor"] for line in alice_case["lines"] if line["choice"] == "deny"}
    assert lost == {usdc(600_000): "0", usdc(45_000): usdc(45)}, "a reasoned dissent costs nothing"


def test_stake_leaves_once_every_case_that_held_it_has_settled_its_votes() -> None:
    (left,) = lines_of("stake.withdrawn.v1")
    held = [case for content in contents(lines_of("stake.withdrawal-answered.v1")) for case in content["cases"]]
    assert sorted(held) == ["claim/harbor-pool.1/1", "claim/harbor-pool.3/1"]
    settled = {line["key"]: line["at"] for line in lines_of("votes.settled.v1")}
    last = max(settled[f"case/{case}"] for case in held)
    assert 0 <= parse_instant(left["at"]) - parse_instant(last) < HOUR
    assert left["content"]["amount_minor"] == usdc(100_000)


# --- what is paid


def test_capital_that_does_not_suffice_is_shared_out_at_the_cut_off__and_a_premium_pays_on() -> None:
    key = "pool/harbor-pool"
    (opened,), (moved,) = contents(events("settlement.opened.v1", key)), contents(events("settlement.moved.v1", key))
    assert parse_instant(moved["cut_off_at"]) - parse_instant(opened["cut_off_at"]) == 12 * HOUR, "the halt"
    first, second = events("incident.settled.v1", key)
    assert (first["at"], first["content"]["cause"]) == (moved["cut_off_at"], "cut-off")
    assert (second["content"]["cause"], second["content"]["owed_minor"]) == (
        "income",
        first["content"]["deferred_minor"],
    )
    for settled, told_lines in zip((first, second), contents(events("settlement.lines.v1", key)), strict=True):
        owed, given = (int(settled["content"][name]) for name in ("owed_minor", "distributed_minor"))
        shares = [(int(line["owed_minor"]), int(line["amount_minor"])) for line in told_lines["lines"]]
        assert sum(amount for _, amount in shares) == given < owed
        assert all(abs(amount - share * given / owed) < 1 for share, amount in shares)
    (premium,) = [line["content"]["premium_minor"] for line in events("cover.sold.v1", key)][-1:]
    assert second["content"]["distributed_minor"] == premium


def test_books_balance_at_the_end() -> None:
    (books,) = lines("books")
    accounts = {name: int(amount) for name, amount in books["accounts"].items()}
    assert books["sum_minor"] == "0"
    assert accounts["cash"] == -sum(
        accounts[name] for name in ("capital:junior", "capital:senior", "reserve", "payable")
    )
    assert accounts["unfunded"] == -accounts["deferred"] > 0


def test_failed_transfer_is_tried_again_with_longer_waits_until_it_is_confirmed() -> None:
    key = "payout/harbor-pool.1/1/1"
    failed = events("payout.failed.v1", key)
    waits = [parse_instant(line["content"]["retry_at"]) - parse_instant(line["at"]) for line in failed]
    assert waits == [HOUR, 2 * HOUR]
    instructed = [line for line in lines("instruction") if line["reference"] == "harbor-pool.1/1/1"]
    assert [line["attempt"] for line in instructed] == [1, 2, 3]
    assert [parse_instant(line["at"]) // HOUR for line in instructed[1:]] == [
        parse_instant(line["content"]["retry_at"]) // HOUR for line in failed
    ]
    (confirmed,) = contents(events("payout.confirmed.v1", key))
    assert confirmed["attempt"] == 3


def test_receipt_that_does_not_match_is_flagged_and_the_right_one_counts() -> None:
    (flagged,) = contents(events("receipt.flagged.v1", "payout/harbor-pool.3/1/1"))
    assert flagged["input_id"] == "mistyped-harbor-pool.3-1-1-1"
    assert flagged["mismatches"] == {"amount_minor": "21398 instead of 21398880597"}
    (confirmed,) = contents(events("payout.confirmed.v1", "payout/harbor-pool.3/1/1"))
    assert confirmed["amount_minor"] == "21398880597"


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
        "harbor-pool.1": (usdc(50_000), usdc(38_934), usdc(11_066)),
        "harbor-pool.2": (usdc(30_000), usdc(0), usdc(30_000)),
        "harbor-pool.3": (usdc(40_000), usdc(23_175), usdc(16_825)),
        "harbor-pool.4": (usdc(50_000), usdc(0), usdc(50_000)),
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
    assert "claim.too-early value a filing of day 6 11:00 accepted a filing from day 9 10:02 from day 9 10:02" in text
    assert "next attempt 3 is instructed; by day 21 02:11" in text
