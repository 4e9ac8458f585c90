"""How logs become versions of rows: at any moment of the log, whatever a fetch brings, once."""

import asyncio
from pathlib import Path

import orjson
import pytest

from schemas.claims import ClaimWithdrawn
from schemas.envelope import Outgoing
from services.kernel.partitioner import partition_of
from services.kernel.space import Space
from services.views.kinds import BY_NAME
from services.views.model import ReadModelError
from services.views.projector import Projector
from services.views.query import Cursor, Positions, Query
from services.views.running import Rebuild, Views
from tests.unit.views.reading import digest, ids, row, views_of
from tests.unit.views.story import HOUR, SPACE, START, Logs, capital, file_claim, govern, product, sell, whole_story

NOON = "2026-03-01T12:00:00.000Z"


def test_as_of_an_instant__the_row_as_it_was(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        await sell(logs)
        logs.wait()
        await file_claim(logs)
        filed_at = logs.clock.now()
        logs.wait()
        withdrawn = ClaimWithdrawn(claim="P.1/1", incident="vault/1", pool="P")
        await logs.write("claims", "cover/P.1", withdrawn)
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            assert (await row(views, "claims", "P.1/1"))["status"] == "withdrawn"
            assert (await row(views, "claims", "P.1/1", filed_at))["status"] == "undecided"
            assert (await row(views, "claims", "P.1/1", logs.clock.now() - 1))["status"] == "undecided"
            assert (await row(views, "claims", "P.1/1", logs.clock.now()))["status"] == "withdrawn"
            assert await row(views, "claims", "P.1/1", filed_at - 1) is None
            assert await ids(views, "claims", filed_at - 1) == []
            assert await ids(views, "claims", filed_at, status="undecided") == ["P.1/1"]

    asyncio.run(run())


def test_as_of_positions__the_same_prefix_of_the_log(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        await sell(logs)
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            async with views.model.database.reading() as connection:
                before = await (await Query.at(views.model, connection)).positions(["claims.events"])
            await file_claim(logs)
            await views.catch_up()
            assert (await row(views, "covers", "P.1"))["claims_count"] == 1
            assert (await row(views, "covers", "P.1", Positions.parse(str(before))))["claims_count"] == 0
            assert await ids(views, "claims", before) == []

    asyncio.run(run())


def test_an_instant_is_a_prefix__when_a_later_record_was_decided_for_an_earlier_instant(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        await sell(logs)
        logs.wait()
        await file_claim(logs)
        reached = logs.clock.now()
        logs.clock.instant -= HOUR // 2  # a deadline that fires late carries its due time
        await logs.write("claims", "cover/P.1", ClaimWithdrawn(claim="P.1/1", incident="vault/1", pool="P"))
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            assert await row(views, "claims", "P.1/1", reached - 1) is None
            assert (await row(views, "claims", "P.1/1", reached))["status"] == "withdrawn"

    asyncio.run(run())


@pytest.mark.parametrize("fetch_max", [1, 2, 3, 7])
def test_the_same_bytes__whatever_a_fetch_brings(tmp_path: Path, fetch_max: int) -> None:
    async def run() -> tuple[str, str]:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path, name="all") as views:
            await views.catch_up()
            at_once = await digest(views)
        async with views_of(logs, tmp_path, name="few") as views:
            slow = [Projector(SPACE, views.model, logs.store, number, fetch_max=fetch_max) for number in range(4)]
            while await Views(views.model, slow).step():
                for projector in slow:
                    projector.drop()  # as after a restart
            return at_once, await digest(views)

    one, other = asyncio.run(run())
    assert one == other


def test_two_projectors_of_one_partition__fold_each_record_once(tmp_path: Path) -> None:
    async def run() -> None:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path) as views, views_of(logs, tmp_path, name="alone") as alone:
            await alone.catch_up()
            rival = Views(
                views.model, [Projector(SPACE, views.model, logs.store, number, fetch_max=2) for number in range(4)]
            )
            await asyncio.gather(views.step(), rival.step())
            while any(await asyncio.gather(rival.step(), views.step())):
                pass
            assert await digest(views) == await digest(alone)

    asyncio.run(run())


def test_rebuild__the_same_and_read_from_then_on(tmp_path: Path) -> None:
    async def run() -> None:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            before = await digest(views)
            rebuild = Rebuild(SPACE, views.model, logs.store)
            await rebuild.build()
            assert await rebuild.compare() is None
            await rebuild.switch()
            assert await digest(views) == before
            await sell(logs, 2)
            assert await views.catch_up() > 0
            assert (await row(views, "covers", "P.2"))["remaining_minor"] == "500"
            async with views.model.database.reading() as connection:
                statuses = [generation.status for generation in await views.model.generations(connection)]
            assert statuses == ["old", "current"]

    asyncio.run(run())


def test_rebuild__names_the_row_that_differs(tmp_path: Path) -> None:
    async def run() -> None:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            async with views.model.database.writing() as connection:
                covers = (await views.model.current(connection)).rows["covers"]
                await connection.execute(covers.update().values(body="{}"))
            rebuild = Rebuild(SPACE, views.model, logs.store)
            await rebuild.build()
            difference = await rebuild.compare()
            assert difference is not None
            assert (difference.kind, difference.id, difference.before) == ("covers", "P.1", "{}")

    asyncio.run(run())


def test_another_release__makes_the_read_model_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            before = await digest(views)
        monkeypatch.setattr("services.views.model.fingerprint", lambda: "another")
        async with views_of(logs, tmp_path) as views:
            assert await ids(views, "covers") == []
            await views.catch_up()
            assert await digest(views) == before

    asyncio.run(run())


def test_another_release_beside__takes_over_once_and_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        logs = await whole_story(Logs())
        async with views_of(logs, tmp_path) as old:
            await old.catch_up()
            before = await digest(old)
            monkeypatch.setattr("services.views.model.fingerprint", lambda: "another")
            async with views_of(logs, tmp_path) as new:
                await new.catch_up()
                monkeypatch.undo()
                await sell(logs, 2)
                with pytest.raises(ReadModelError, match="another release has taken over"):
                    await old.catch_up()
                with pytest.raises(ReadModelError, match="another release has taken over"):
                    await old.model.prepare()
                assert await digest(new) == before

    asyncio.run(run())


def test_stops__at_a_record_that_does_not_follow(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        await govern(logs)
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            partition = partition_of("scope/main", 4)
            last = logs.store.records["governance.events", partition][-1]
            forged = Outgoing(last.topic, last.partition, last.key, product("forged").to_bytes(), last.headers)
            await logs.store.append([forged])
            with pytest.raises(ReadModelError, match=r"governance.events/\d/\d+ does not follow"):
                await views.catch_up()
            assert await ids(views, "products") == ["vault"]

    asyncio.run(run())


def test_stops__where_a_log_is_shorter_than_what_was_read(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        await capital(logs)
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
        async with views_of(Logs(), tmp_path) as views:
            with pytest.raises(ReadModelError, match="this is another log"):
                await views.step()

    asyncio.run(run())


def test_another_space__is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with views_of(Logs(), tmp_path):
            pass
        with pytest.raises(ReadModelError, match="read model of space main, not other"):
            async with views_of(Logs(Space("other", 4)), tmp_path):
                pass

    asyncio.run(run())


def test_half_a_decision__is_never_read(tmp_path: Path) -> None:
    """A fetch that ends between two events of one input leaves the first for the next one."""

    async def run() -> list[int]:
        logs = Logs()
        await govern(logs)
        cause = logs.cause("governance.actions", "scope/main")
        await logs.write("governance", "scope/main", product("a"), product("b"), cause=cause)
        seen = []
        async with views_of(logs, tmp_path) as views:
            partition = partition_of("scope/main", 4)
            projector = Projector(SPACE, views.model, logs.store, partition, fetch_max=2)
            while await projector.step():
                seen.append(len(await ids(views, "products")))
        return seen

    seen = asyncio.run(run())
    assert seen[-1] == 3
    assert 2 not in seen


def test_pages__follow_each_other_without_gap_or_repeat(tmp_path: Path) -> None:
    async def run() -> None:
        logs = Logs()
        for number in range(1, 24):
            await sell(logs, number)
            if number % 3:
                logs.wait(1)
        async with views_of(logs, tmp_path) as views:
            await views.catch_up()
            whole = await ids(views, "covers")
            assert len(whole) == 23
            for oldest_first in (True, False):
                got: list[str] = []
                after: Cursor | None = None
                while True:
                    async with views.model.database.reading() as connection:
                        query = await Query.at(views.model, connection)
                        page = await query.page(BY_NAME["covers"], {}, 5, after=after, oldest_first=oldest_first)
                    got += [orjson.loads(body)["id"] for body in page.bodies]
                    if page.after is None:
                        break
                    after = Cursor.parse(str(page.after))
                assert got == (whole if oldest_first else whole[::-1])

    asyncio.run(run())


@pytest.mark.parametrize(
    "text", ["", "claims.events", "claims.events/", "claims.events/1.x", "/1", "a/-1", "a/" + "9" * 30]
)
def test_positions__what_they_are_not(text: str) -> None:
    with pytest.raises(ValueError, match="is not spelled like"):
        Positions.parse(text)


@pytest.mark.parametrize(
    "text", ["", "x", "2026-03-01T12:00:00.000Z~a/b/c~d", "when-ever-it-may-be-x~claims.events/1/2~a", "~~"]
)
def test_cursor__what_it_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no cursor|when-ever"):
        Cursor.parse(text)


def test_cursor__is_spelled_as_it_is_read() -> None:
    cursor = Cursor(START, "claims.events", 3, 17, "P.1/1")
    assert Cursor.parse(str(cursor)) == cursor
