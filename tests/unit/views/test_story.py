"""What rows say once the whole story is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.instants import format_instant
from services.views.kinds import KINDS
from tests.unit.views.reading import ids, row, views_of
from tests.unit.views.story import ALICE, BOB, CAROL, DAVE, START, Logs, whole_story


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every row of every kind."""

    async def tell(folder: Path) -> dict[str, dict[str, Any]]:
        async with views_of(await whole_story(Logs()), folder) as views:
            await views.catch_up()
            return {
                kind.name: {row_id: await row(views, kind.name, row_id) for row_id in await ids(views, kind.name)}
                for kind in KINDS
            }

    return asyncio.run(tell(tmp_path_factory.mktemp("views")))


def test_every_kind_has_rows(told: dict[str, dict[str, Any]]) -> None:
    assert [name for name, rows in told.items() if not rows] == []


def test_incident__confirmed_by_its_case(told: dict[str, dict[str, Any]]) -> None:
    incident = told["incidents"]["vault/1"]
    assert (incident["status"], incident["reports_count"], incident["pool"]) == ("confirmed", 2, "P")
    assert incident["alarm"]["producer"] == "bot-2"
    assert set(told["reports"]) == {"vault/1/bot/r1", "vault/1/bot-2/r2"}


def test_claim__paid_in_full(told: dict[str, dict[str, Any]]) -> None:
    claim = told["claims"]["P.1/1"]
    assert claim["status"] == "paid"
    assert [claim[f"{name}_minor"] for name in ("approved", "allocated", "deferred", "held", "paid", "unpaid")] == [
        "400",
        "400",
        "0",
        "0",
        "400",
        "0",
    ]
    assert len(claim["evidence"]) == 2
    assert told["covers"]["P.1"]["remaining_minor"] == "100"
    assert told["covers"]["P.1"]["claims_count"] == 1


def test_case__every_stage_with_its_outcome(told: dict[str, dict[str, Any]]) -> None:
    case = told["cases"]["claim/P.1/1"]
    assert (case["status"], case["outcome"], case["ruled_minor"], case["closes_at"]) == ("ruled", "accept", "400", None)
    stages = [(stage["kind"], stage["status"], stage["outcome"]) for stage in case["stages"]]
    assert stages == [("ballot", "closed", "accept"), ("cooldown", "closed", "accept")]
    assert told["cases"]["incident/vault/1"]["stages"][0]["weight_sum"] == 3


def test_round__a_replaced_vote_counts_one_head(told: dict[str, dict[str, Any]]) -> None:
    held = told["rounds"]["claim/P.1/1/1"]
    assert (held["status"], held["heads"], held["accept_minor"], held["rule"]) == ("settled", 1, "100", "agreement")
    vote = told["votes"][f"claim/P.1/1/1/{DAVE}"]
    assert (vote["choice"], vote["reward_minor"], vote["rationale"]) == ("accept", "7", "seen “it” happen")


def test_exclusions__who_and_why(told: dict[str, dict[str, Any]]) -> None:
    held = {row["assessor"]: row["recused"] for row in told["exclusions"].values()}
    assert held == {BOB: False, CAROL: True}


def test_payout__each_attempt_with_its_end(told: dict[str, dict[str, Any]]) -> None:
    payout = told["payouts"]["P.1/1/1"]
    assert payout["status"] == "confirmed"
    attempts = [(one["attempt"], one["status"], one["transaction"]) for one in payout["attempts"]]
    assert attempts == [(1, "failed", None), (2, "confirmed", "0x2")]


def test_pool__books_balance(told: dict[str, dict[str, Any]]) -> None:
    books = {name: int(amount) for name, amount in told["pools"]["P"]["books"].items()}
    assert sum(books.values()) == 0
    assert books["cash"] == 600 + 400 + 10 - 400
    assert books["payable"] == 0
    assert told["pools"]["P"]["reserved_minor"] == {"vault/1": "400"}


def test_positions__what_is_to_leave(told: dict[str, dict[str, Any]]) -> None:
    assert told["positions"][f"P/senior/{CAROL}"]["leaving"]["shares_minor"] == "100"
    assert told["positions"][f"P/junior/{BOB}"]["shares_minor"] == "600"


def test_settlement__closed_with_its_lines(told: dict[str, dict[str, Any]]) -> None:
    settlement = told["settlements"]["vault/1"]
    assert (settlement["status"], settlement["distributed_minor"]) == ("closed", "400")
    assert told["settlement-lines"]["vault/1/1/P.1/1"]["amount_minor"] == "400"
    assert told["allocations"]["vault/1/1"]["waterfall"]["junior_minor"] == "399"


def test_assessor__stake_is_conserved(told: dict[str, dict[str, Any]]) -> None:
    held = told["assessors"][DAVE]
    put_in = int(held["added_minor"]) + int(held["rewarded_minor"])
    assert put_in == int(held["stake_minor"]) + int(held["forfeited_minor"]) + int(held["withdrawn_minor"])
    assert held["withdrawal"]["status"] == "paid-out"
    assert ALICE not in told["assessors"]


def test_product__halted_and_opened_again(told: dict[str, dict[str, Any]]) -> None:
    halt = told["products"]["vault"]["halt"]
    assert halt["until"] == format_instant(START + 1_800_000)
    assert halt["reason"] == "a doubt"
    (held,) = told["halts"].values()
    assert held["opened_by"] == "ann"


def test_principal__revoked_stays_to_be_read(told: dict[str, dict[str, Any]]) -> None:
    assert told["principals"]["old-bot"]["status"] == "revoked"


@pytest.mark.parametrize(
    ("input_id", "fate"),
    [
        ("file-1", "decided"),
        ("file-too-much", "refused"),
        ("unreadable", "set-aside"),
        ("lost", "forwarded"),
    ],
)
def test_input__each_fate(told: dict[str, dict[str, Any]], input_id: str, fate: str) -> None:
    fates = [row["fate"] for row in told["inputs"].values() if row["input_id"] == input_id]
    assert fate in fates


def test_input__a_duplicate_names_what_it_repeats(told: dict[str, dict[str, Any]]) -> None:
    (held,) = [row for row in told["inputs"].values() if row["fate"] == "duplicate"]
    assert held["of"].startswith("claim.filings@")
    assert held["input_id"] == "file-1"


def test_input__names_its_events_and_what_comes_next(told: dict[str, dict[str, Any]]) -> None:
    (held,) = [row for row in told["inputs"].values() if row["input_id"] == "file-1" and row["fate"] == "decided"]
    assert (held["events"], held["next"]["step"], held["sender"]) == (["claim.filed.v1"], "vote", ALICE)


def test_input__of_an_inbox_is_nobodys_to_read(told: dict[str, dict[str, Any]]) -> None:
    assert not [row for row in told["inputs"].values() if row["stream"].endswith(".inbox")]
