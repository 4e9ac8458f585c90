"""Single rows: with what belongs to them, at any moment, and only once."""

from pathlib import Path

import pytest

from schemas.instants import format_instant
from tests.unit.portal.asking import Asked, ask
from tests.unit.views.story import DAVE, START


@pytest.mark.parametrize(
    "path",
    [
        "/v1/claims/P.1/1",
        "/v1/claims/P.1%2F1",
        "/v1/cases/claim/P.1/1",
        "/v1/payouts/P.1/1/1",
        f"/v1/votes/claim/P.1/1/1/{DAVE}",
        f"/v1/assessors/{DAVE}",
        "/v1/rulebooks/house@1",
        "/v1/settlement-lines/vault/1/1/P.1/1",
    ],
)
def test_ids_stand_in_the_path_as_they_are(tmp_path: Path, path: str) -> None:
    async def question(asked: Asked) -> None:
        answer = await asked.client.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"

    ask(tmp_path, question)


def test_a_row_is_shown_with_what_belongs_to_it(tmp_path: Path) -> None:
    async def question(asked: Asked) -> None:
        incident = (await asked.client.get("/v1/incidents/vault/1")).json()
        assert [report["producer"] for report in incident["reports"]] == ["bot", "bot-2"]
        assert incident["reports_next"] is None
        settlement = (await asked.client.get("/v1/settlements/vault/1")).json()
        assert [line["claim"] for line in settlement["lines"]] == ["P.1/1"]
        case = (await asked.client.get("/v1/cases/claim/P.1/1")).json()
        assert [(held["round"], held["outcome"]) for held in case["rounds"]] == [(1, "accept")]
        claim = (await asked.client.get("/v1/claims/P.1/1")).json()
        assert [len(payout["attempts"]) for payout in claim["payouts"]] == [2]

    ask(tmp_path, question)


def test_as_of__an_instant_and_positions(tmp_path: Path) -> None:
    async def question(asked: Asked) -> None:
        now = await asked.client.get("/v1/claims/P.1/1")
        filed_at = now.json()["filed_at"]
        then = (await asked.client.get("/v1/claims/P.1/1", params={"as_of": filed_at})).json()
        assert (now.json()["status"], then["status"], then["payouts"]) == ("paid", "undecided", [])
        again = await asked.client.get("/v1/claims/P.1/1", params={"as_of": now.headers["adjudex-positions"]})
        assert again.content == now.content

    ask(tmp_path, question)


def test_not_found__says_whether_it_exists_at_another_time(tmp_path: Path) -> None:
    async def question(asked: Asked) -> None:
        never = await asked.client.get("/v1/claims/P.1/2")
        assert never.status_code == 404
        assert never.json()["accepted"] == "an id as /v1/claims lists them"
        early = await asked.client.get("/v1/claims/P.1/1", params={"as_of": format_instant(START)})
        assert early.status_code == 404
        assert early.json()["value"] == "P.1/1"
        assert early.json()["accepted"] == "a later as_of, or none: it exists now"
        unreadable = await asked.client.get("/v1/claims/%00")
        assert unreadable.status_code == 404

    ask(tmp_path, question)


def test_etag__answers_nothing_twice(tmp_path: Path) -> None:
    async def question(asked: Asked) -> None:
        for path in ("/v1/claims/P.1/1", "/v1/claims", "/v1", "/"):
            first = await asked.client.get(path)
            again = await asked.client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["adjudex-positions"]
            other = await asked.client.get(path, headers={"If-None-Match": '"another"'})
            assert other.content == first.content

    ask(tmp_path, question)


def test_bytes_are_canonical(tmp_path: Path) -> None:
    async def question(asked: Asked) -> None:
        held = (
            await asked.client.get("/v1/positions/P/junior/eip155:1:0x00000000000000000000000000000000000000b0")
        ).text
        assert held.startswith('{"id":"P/junior/eip155:1:0x')
        assert '"pool":"P","tranche":"junior"' in held
        assert '"deposited_minor":"600","withdrawn_minor":"0","leaving":null}' in held

    ask(tmp_path, question)
