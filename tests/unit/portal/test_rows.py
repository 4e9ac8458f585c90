"""Single rows: with what belongs to them, at any moment, and only once."""

import httpx
import pytest

from schemas.instants import format_instant
from tests.unit.portal.asking import ask
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
def test_ids_stand_in_the_path_as_they_are(path: str) -> None:
    async def question(client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"

    ask(question)


def test_a_row_is_shown_with_what_belongs_to_it() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        incident = (await client.get("/v1/incidents/vault/1")).json()
        assert [report["producer"] for report in incident["reports"]] == ["bot", "bot-2"]
        assert incident["reports_next"] is None
        settlement = (await client.get("/v1/settlements/vault/1")).json()
        assert [line["claim"] for line in settlement["lines"]] == ["P.1/1"]
        case = (await client.get("/v1/cases/claim/P.1/1")).json()
        assert [(held["round"], held["outcome"]) for held in case["rounds"]] == [(1, "accept")]
        claim = (await client.get("/v1/claims/P.1/1")).json()
        assert [len(payout["attempts"]) for payout in claim["payouts"]] == [2]

    ask(question)


def test_as_of__an_instant_and_positions() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        now = await client.get("/v1/claims/P.1/1")
        filed_at = now.json()["filed_at"]
        then = (await client.get("/v1/claims/P.1/1", params={"as_of": filed_at})).json()
        assert (now.json()["status"], then["status"], then["payouts"]) == ("paid", "undecided", [])
        again = await client.get("/v1/claims/P.1/1", params={"as_of": now.headers["adjudex-positions"]})
        assert again.content == now.content

    ask(question)


def test_an_instant__stands_for_positions_that_show_the_same_again() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        changes = {
            item["changed_at"]
            for path in (await client.get("/v1")).json()["kinds"].values()
            for item in (await client.get(path)).json()["items"]
        }
        assert len(changes) > 10
        seen = set()
        for instant in sorted(changes):
            for path in ("/v1/claims", "/v1/claims/P.1/1", "/v1/inputs?limit=500", "/v1/pools"):
                then = await client.get(path, params={"as_of": instant})
                again = await client.get(path, params={"as_of": then.headers["adjudex-positions"]})
                assert (again.status_code, again.content) == (then.status_code, then.content)
                assert again.headers["adjudex-positions"] == then.headers["adjudex-positions"]
                seen.add(then.headers["adjudex-positions"])
        assert len(seen) > 10
        before = await client.get("/v1/claims", params={"as_of": "2000-01-01T00:00:00.000Z"})
        assert before.json()["items"] == []
        assert set(before.headers["adjudex-positions"].partition("/")[2]) <= {"0", "."}

    ask(question)


def test_head__is_get_without_the_content() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        for path in ("/v1", "/v1/claims", "/v1/claims/P.1/1", "/v1/claims/nothing", "/ready", "/"):
            got, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.headers, head.content) == (got.status_code, got.headers, b"")

    ask(question)


def test_not_found__says_whether_it_exists_at_another_time() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        never = await client.get("/v1/claims/P.1/2")
        assert never.status_code == 404
        assert never.json()["accepted"] == "an id as /v1/claims lists them"
        early = await client.get("/v1/claims/P.1/1", params={"as_of": format_instant(START)})
        assert early.status_code == 404
        assert early.json()["value"] == "P.1/1"
        assert early.json()["accepted"] == "a later as_of, or none: it exists now"
        assert early.headers["adjudex-positions"].startswith("claims.events/")
        unreadable = await client.get("/v1/claims/%00")
        assert unreadable.status_code == 404

    ask(question)


def test_etag__answers_nothing_twice() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        for path in ("/v1/claims/P.1/1", "/v1/claims", "/v1", "/"):
            first = await client.get(path)
            again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["adjudex-positions"]
            other = await client.get(path, headers={"If-None-Match": '"another"'})
            assert other.content == first.content

    ask(question)


def test_bytes_are_canonical() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        held = (await client.get("/v1/positions/P/junior/eip155:1:0x00000000000000000000000000000000000000b0")).text
        assert held.startswith('{"id":"P/junior/eip155:1:0x')
        assert '"pool":"P","tranche":"junior"' in held
        assert '"deposited_minor":"600","withdrawn_minor":"0","leaving":null}' in held

    ask(question)
