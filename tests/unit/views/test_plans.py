"""Lists and rows of now are found by index, however many versions there are."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Select, select, tuple_

from services.views.model import ReadModel
from services.views.tables import Tables, column_of, latest, natural
from tests.unit.views.reading import views_of
from tests.unit.views.story import Logs


def _newest(tables: Tables) -> Select[tuple[str]]:
    claims = tables.rows["claims"]
    order = natural(claims)
    after = tuple_(*order) < (1, "claims.events", 1, 1, "x")
    return select(claims.c.body).where(latest(claims), after).order_by(*(column.desc() for column in order)).limit(50)


def _filtered(tables: Tables) -> Select[tuple[str]]:
    claims = tables.rows["claims"]
    return select(claims.c.body).where(latest(claims), column_of(claims, "incident") == "vault/1").limit(50)


def _one(tables: Tables) -> Select[tuple[str]]:
    claims = tables.rows["claims"]
    return select(claims.c.body).where(latest(claims), claims.c.id == "P.1/1")


@pytest.mark.parametrize(
    ("asked", "index"), [(_newest, "claims_natural"), (_filtered, "claims_incident"), (_one, "claims_latest")]
)
def test_found_by_index(tmp_path: Path, asked: object, index: str) -> None:
    async def run() -> str:
        async with views_of(Logs(), tmp_path) as views:
            model: ReadModel = views.model
            async with model.database.reading() as connection:
                assert callable(asked)
                statement = asked(await model.current(connection))
                spelled = statement.compile(dialect=connection.dialect)
                values = tuple(spelled.params[name] for name in spelled.positiontup)
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {spelled}", values)
                return "\n".join(str(row[-1]) for row in plan)

    plan = asyncio.run(run())
    assert f"USING INDEX v1_{index}" in plan
    assert "TEMP B-TREE" not in plan
