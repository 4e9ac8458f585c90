"""Lists: filters, pages, and what is refused."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.views.kinds import KINDS
from tests.unit.portal.asking import ask, portal
from tests.unit.views.story import ALICE, DAVE, Logs, sell


def test_every_kind_is_listed() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        index = (await client.get("/v1")).json()
        assert list(index["kinds"]) == [kind.name for kind in KINDS]
        for path in index["kinds"].values():
            answer = await client.get(path)
            assert answer.status_code == 200
            held = answer.json()
            assert held["items"], path
            assert held["positions"] == answer.headers["adjudex-positions"]

    ask(question)


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/v1/claims?status=paid", ["P.1/1"]),
        ("/v1/claims?status=denied", []),
        (f"/v1/claims?claimant={ALICE}&pool=P", ["P.1/1"]),
        ("/v1/cases?subject=claim", ["claim/P.1/1"]),
        (f"/v1/votes?assessor={DAVE}&case=claim/P.1/1", [f"claim/P.1/1/1/{DAVE}"]),
        ("/v1/reports?incident=vault/1&order=oldest", ["vault/1/bot/r1", "vault/1/bot-2/r2"]),
        ("/v1/principals?status=revoked", ["old-bot"]),
    ],
)
def test_filters(path: str, ids: list[str]) -> None:
    async def question(client: httpx.AsyncClient) -> None:
        items = (await client.get(path)).json()["items"]
        assert [item["id"] for item in items] == ids

    ask(question)


def test_what_became_of_an_input__by_the_id_its_sender_gave() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        (held,) = (await client.get("/v1/inputs?input_id=file-too-much")).json()["items"]
        assert held["fate"] == "refused"
        assert held["refusal"] == {
            "rule": "claim.amount-above-cover",
            "value": "900",
            "accepted": "at most 500",
            "not_before": None,
            "unknown": False,
        }
        again = await client.get(f"/v1/inputs/{held['id']}")
        assert again.json() == held

    ask(question)


@pytest.mark.parametrize("as_of", ["", "&as_of=2099-01-01T00:00:00.000Z"], ids=["now", "an instant to come"])
def test_next__leads_through_all_of_one_moment(as_of: str, tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        for number in range(1, 8):
            await sell(logs, number)
            logs.wait(1)
        async with portal(tmp_path, logs) as (client, views):
            got: list[str] = []
            moments: set[str] = set()
            path = f"/v1/covers?limit=3&order=oldest&pool=P{as_of}"
            while path:
                answer = await client.get(path)
                assert answer.status_code == 200, answer.text
                held = answer.json()
                got += [item["id"] for item in held["items"]]
                moments.add(held["positions"])
                path = held["next"]
                await sell(logs, 100 + len(got))  # what comes later is not of this moment
                await views.catch_up()
            assert got == [f"P.{number}" for number in range(1, 8)]
            assert len(moments) == 1
            assert len((await client.get("/v1/covers")).json()["items"]) > 7

    asyncio.run(run())


def test_cursor_of_another_list__refused() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        following = httpx.URL((await client.get("/v1/inputs?limit=1")).json()["next"])
        for cursor in (following.params["cursor"], f"{following.params['cursor']}0"):
            for kind in ("claims", "votes"):
                answer = await client.get(f"/v1/{kind}", params={"cursor": cursor})
                assert (answer.status_code, answer.json()["parameter"]) == (422, "cursor")
                assert answer.json()["accepted"] == f"a cursor as `next` of {kind} has it"

    ask(question)


@pytest.mark.parametrize(
    ("path", "status", "parameter", "value", "accepted"),
    [
        ("/v1?as_of=2026-03-01", 400, "as_of", "2026-03-01", "no parameter"),
        (
            "/v1/claims?as_of=claims.events/1,claims.events/1",
            422,
            "as_of",
            "claims.events/1,claims.events/1",
            "positions as the header",
        ),
        ("/v1/claims?state=paid", 400, "state", "paid", "status, cover, incident, product, pool, claimant"),
        ("/v1/claims?limit=5&limit=6", 400, "limit", "6", "one value"),
        ("/v1/claims?status=payed", 422, "status", "payed", "one of undecided, approved, partly-paid, paid"),
        ("/v1/claims?limit=0", 422, "limit", "0", "a whole number from 1 to 500"),
        ("/v1/claims?limit=501", 422, "limit", "501", "a whole number from 1 to 500"),
        ("/v1/claims?limit=ten", 422, "limit", "ten", "a whole number"),
        ("/v1/claims?order=random", 422, "order", "random", "newest or oldest"),
        ("/v1/claims?cursor=abc", 422, "cursor", "abc", "a cursor as an answer's `next` has it"),
        ("/v1/claims?pool=", 422, "pool", "", "printable characters"),
        ("/v1/claims?pool=%00", 422, "pool", "\x00", "printable characters"),
        ("/v1/claims?as_of=yesterday", 422, "as_of", "yesterday", "an RFC 3339 instant with an offset"),
        ("/v1/claims?as_of=2026-03-01", 422, "as_of", "2026-03-01", "an RFC 3339 instant with an offset"),
        ("/v1/claims?as_of=pools.events/0.0.0.0", 422, "as_of", "pools.events/0.0.0.0", "claims.events/"),
        ("/v1/claims?as_of=claims.events/1.1", 422, "as_of", "claims.events/1.1", "claims.events/"),
        (
            "/v1/claims?as_of=claims.events/999.0.0.0",
            422,
            "as_of",
            "claims.events/999.0.0.0",
            "at most claims.events/",
        ),
    ],
)
def test_refused__with_what_would_be_accepted(
    path: str, status: int, parameter: str, value: str, accepted: str
) -> None:
    async def question(client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert (problem["status"], problem["parameter"], problem["value"]) == (status, parameter, value)
        assert accepted in problem["accepted"]
        assert problem["instance"] == path.partition("?")[0]

    ask(question)
