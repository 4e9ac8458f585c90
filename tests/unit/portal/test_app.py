"""The application around the rows: health, problems, the OpenAPI document, the console."""

import asyncio
from pathlib import Path

import httpx
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from services.portal.app import Serving, create_app
from services.portal.console import amount, owned, pieces, short
from services.views.database import Database
from services.views.kinds import KINDS
from services.views.model import ReadModel
from services.views.urls import sqlite_url
from tests.unit.portal.asking import ask, told
from tests.unit.views.story import ALICE


def test_live_and_ready() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        assert (await client.get("/live")).json() == {"live": True}
        ready = (await client.get("/ready")).json()
        assert (ready["ready"], ready["space"]) == (True, "main")
        assert "pools.events/" in ready["positions"]

    ask(question)


def test_not_ready__when_there_is_no_read_model(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database(sqlite_url(tmp_path / "none.sqlite"))
        try:
            transport = httpx.ASGITransport(create_app(ReadModel(database, "main")))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
                assert (await client.get("/live")).status_code == 200
                answer = await client.get("/ready")
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert answer.json()["type"] == "urn:adjudex:problem:not-ready"
                assert "there is no read model yet" in answer.json()["detail"]
        finally:
            await database.close()

    asyncio.run(run())


def test_metrics__count_answers_by_path_and_status() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        await client.get("/v1/claims/harbor.1/1")
        await client.get("/v1/claims/harbor.9/9")
        await client.head("/v1/claims")
        await client.get("/v1/claims?limit=none")
        await client.get("/nobody/knows/this")
        said = await client.get("/metrics")
        assert said.headers["content-type"].startswith("text/plain; version=0.0.4")
        counted = {
            (sample.labels["path"], sample.labels["status"]): sample.value
            for family in text_string_to_metric_families(said.text)
            for sample in family.samples
            if sample.name == "adjudex_answer_seconds_count" and sample.labels["path"] not in ("/live", "/ready")
        }
        assert counted == {
            ("/v1/claims/{id:path}", "404"): 2.0,
            ("/v1/claims", "200"): 1.0,
            ("/v1/claims", "422"): 1.0,
            ("none", "404"): 1.0,
        }

    ask(question)


def test_metrics__say_what_failed(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database(sqlite_url(tmp_path / "none.sqlite"))
        app = create_app(ReadModel(database, "main"))

        @app.get("/bug")
        async def bug() -> None:
            raise RuntimeError

        try:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
                assert (await client.get("/ready")).status_code == 503
                assert (await client.get("/bug")).status_code == 500
                said = (await client.get("/metrics")).text
        finally:
            await database.close()
        assert 'adjudex_answer_seconds_count{path="/ready",service="portal",status="503"} 1.0' in said
        assert 'adjudex_answer_seconds_count{path="/bug",service="portal",status="500"} 1.0' in said

    asyncio.run(run())


def test_unknown_paths_and_methods() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        lost = await client.get("/v1/claimz")
        assert lost.status_code == 404
        assert "claims" in lost.json()["accepted"]
        written = await client.post("/v1/claims")
        assert (written.status_code, written.headers["allow"], written.json()["accepted"]) == (
            405,
            "GET, HEAD",
            "GET, HEAD",
        )

    ask(question)


def test_openapi__describes_every_kind_and_its_refusals() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        document = (await client.get("/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        for kind in KINDS:
            several = document["paths"][f"/v1/{kind.name}"]["get"]
            assert {parameter["name"] for parameter in several["parameters"]} == {
                *kind.filters,
                "limit",
                "cursor",
                "order",
                "as_of",
            }
            one = document["paths"][f"/v1/{kind.name}/{{id}}"]["get"]
            assert {"200", "304", "400", "404", "422", "503"} <= one["responses"].keys()
            assert {parameter["name"] for parameter in one["parameters"]} == {"id", "as_of"}
        schemas = document["components"]["schemas"]
        assert schemas["ClaimRow"]["properties"]["amount_minor"]["type"] == "string"
        assert schemas["Problem"]["properties"]["accepted"]
        assert "HTTPValidationError" not in schemas
        assert not [name for name in schemas if "__" in name]
        for schema in schemas.values():
            Draft202012Validator.check_schema(schema)
            for field in schema.get("properties", {}).values():
                if "default" in field and "$ref" not in field:
                    Draft202012Validator(field | {"$defs": {}}).validate(field["default"])
        for path, answers in (("/v1", {"200", "304", "400", "503"}), ("/ready", {"200", "503"})):
            assert answers <= document["paths"][path]["get"]["responses"].keys()
        headers = document["paths"]["/v1/claims"]["get"]["responses"]["200"]["headers"]
        assert headers.keys() == {"Adjudex-Positions", "ETag"}

    ask(question)


def test_console__shows_what_there_is() -> None:
    async def question(client: httpx.AsyncClient) -> None:
        answer = await client.get("/")
        assert answer.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        for text in ('href="/v1/incidents/vault/1"', 'href="/v1/claims/P.1/1"', 'href="/v1/pools/P"', "drained"):
            assert text in answer.text
        live = await client.get("/console/live")
        assert live.text.strip() in answer.text
        for name in ("console.js", "console.css", "icon.svg"):
            assert (await client.get(f"/static/{name}")).status_code == 200

    ask(question)


def test_served__on_a_port_of_its_own() -> None:
    async def question(_: httpx.AsyncClient) -> None:
        serving = Serving(told().app, "127.0.0.1", 0)
        address = await serving.start()
        async with httpx.AsyncClient(base_url=address) as other:
            assert (await other.get("/v1/claims/P.1/1")).json()["status"] == "paid"
        await serving.stop()

    ask(question)


def test_numbers_are_spelled_to_be_read() -> None:
    assert amount("1234567") == "1\u202f234\u202f567"
    assert (amount("-5"), amount(None), amount("0")) == ("−5", "–", "0")
    assert (owned("-5"), owned("5"), owned("0")) == ("5", "−5", "0")
    assert (short(ALICE), short("bot")) == ("eip155:1:0x000000…\u20600000a1", "bot")


def test_lines_end_where_they_may() -> None:
    twelve = "\u202f".join(["000"] * 4)
    assert pieces("harbor-pool.3/1") == ["harbor-pool.3/", "1"]
    assert pieces(short(ALICE)) == ["eip155:", "1:", "0x000000…\u20600000a1"]
    assert pieces(amount("42000000000")) == [amount("42000000000")]
    assert pieces(amount("42" + "0" * 24)) == ["42\u202f", f"{twelve}\u202f", twelve]
