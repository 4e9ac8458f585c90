"""The statements of a projector's step. Each is made once for a table: making one costs more than carrying it out."""

from functools import cache
from typing import Any

from sqlalchemy import Dialect, Select, Table, Update, bindparam, select

from .tables import latest


@cache
def moving(progress: Table) -> Update:
    """Move the progress of `of_log` and `of_part` on from `was`; it changes nothing where somebody else has."""
    held = progress.c
    return (
        progress.update()
        .where(
            held.log == bindparam("of_log"),
            held.part == bindparam("of_part"),
            held.next_offset == bindparam("was"),
        )
        .values(next_offset=bindparam("next_offset"), chain=bindparam("chain"), at=bindparam("at"))
    )


@cache
def loading(table: Table) -> Select[Any]:
    """Read the latest versions of the rows `ids`."""
    held = table.c
    return select(held.id, held.from_offset, held.log, held.part, held.born_at, held.born_offset, held.body).where(
        latest(table), held.id.in_(bindparam("ids", expanding=True))
    )


@cache
def closing(table: Table) -> Update:
    """End the version of `row_id` that begins at `row_from`."""
    return (
        table.update()
        .where(table.c.id == bindparam("row_id"), table.c.from_offset == bindparam("row_from"))
        .values(until_offset=bindparam("until_offset"), until_at=bindparam("until_at"))
    )


@cache
def inserting(table: Table, dialect: Dialect) -> str:
    """Spell the insertion of a whole row, whose values come in the order of the columns."""
    compiled = table.insert().compile(dialect=dialect)
    assert compiled.positiontup == table.c.keys()
    return str(compiled)
