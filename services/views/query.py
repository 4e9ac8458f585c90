"""Reading the read model: one row, or a page of a kind, now or as of any position or instant."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Table, and_, false, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.instants import format_instant, parse_instant

from .kind import Kind
from .model import ReadModel
from .tables import Tables, column_of, latest, natural

_LOG = r"[a-z][a-z.-]{0,60}"
_OFFSET = r"[0-9]{1,18}"
_POSITIONS = re.compile(rf"{_LOG}/{_OFFSET}(\.{_OFFSET})*(,{_LOG}/{_OFFSET}(\.{_OFFSET})*)*")
_CURSOR = re.compile(rf"([^~]{{20,40}})~({_LOG})/([0-9]{{1,9}})/({_OFFSET})~([^\x00-\x1f]{{1,1000}})")


class Positions(NamedTuple):
    """How far logs are read: for each log the next offset of every partition. Spelled `claims.events/154.220.3.9`."""

    logs: Mapping[str, tuple[int, ...]]

    def __str__(self) -> str:
        """Spell it, the logs in alphabetical order and with commas between them."""
        return ",".join(f"{log}/{'.'.join(map(str, offsets))}" for log, offsets in sorted(self.logs.items()))

    @classmethod
    def parse(cls, text: str) -> "Positions":
        """Read what `str` wrote; raises ValueError."""
        if _POSITIONS.fullmatch(text) is None:
            problem = f"{text[:200]!r} is not spelled like claims.events/154.220.3.9"
            raise ValueError(problem)
        held = [part.partition("/") for part in text.split(",")]
        if len({log for log, _, _ in held}) < len(held):
            problem = f"{text[:200]!r} has a log twice"
            raise ValueError(problem)
        return cls({log: tuple(map(int, offsets.split("."))) for log, _, offsets in held})


class Cursor(NamedTuple):
    """The natural position of a row: when and where it began to exist. Spelled `<instant>~<log position>~<id>`."""

    born_at: int
    log: str
    part: int
    born_offset: int
    id: str

    def __str__(self) -> str:
        """Spell it."""
        return f"{format_instant(self.born_at)}~{self.log}/{self.part}/{self.born_offset}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what `str` wrote; raises ValueError."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            problem = f"{text[:200]!r} is no cursor"
            raise ValueError(problem)
        instant, log, part, offset, row_id = match.groups()
        return cls(parse_instant(instant), log, int(part), int(offset), row_id)


AsOf = int | Positions | None
"""An instant (milliseconds), positions of logs, or now."""


class Page(NamedTuple):
    """Contents of rows, and where the next page begins, if there is one."""

    bodies: Sequence[str]
    after: Cursor | None


class Query:
    """Reads at one moment: everything asked of one instance belongs together."""

    def __init__(self, model: ReadModel, connection: AsyncConnection, tables: Tables) -> None:
        self.model = model
        self.connection = connection
        self.tables = tables

    @classmethod
    async def at(cls, model: ReadModel, connection: AsyncConnection) -> "Query":
        """Read the generation that is read now; raises ReadModelError where there is none."""
        return cls(model, connection, await model.current(connection))

    async def positions(self, logs: Sequence[str], as_of: AsOf = None) -> Positions:
        """Return how far these logs are read, or the positions that a moment stands for."""
        if isinstance(as_of, Positions):
            return Positions({log: as_of.logs[log] for log in logs})
        place = self.tables.progress.c
        end = place.next_offset if as_of is None else self._reached(as_of)
        asked = select(place.log, end).where(place.log.in_(logs)).order_by(place.log, place.part)
        held: dict[str, list[int]] = {log: [] for log in logs}
        for log, offset in await self.connection.execute(asked):
            held[log].append(offset or 0)
        return Positions({log: tuple(offsets) for log, offsets in held.items()})

    def _reached(self, instant: int) -> ScalarSelect[Any]:
        """Say where the log partition of a row of progress ended at an instant; nothing before its first record."""
        place, reached = self.tables.progress.c, self.tables.instants.c
        return (
            select(reached.next_offset)
            .where(reached.log == place.log, reached.part == place.part, reached.at <= instant)
            .order_by(reached.at.desc(), reached.next_offset.desc())
            .limit(1)
            .scalar_subquery()
        )

    async def has(self, kind: Kind[Any], cursor: Cursor) -> bool:
        """Tell whether a cursor names a row of this kind, now or at an earlier moment."""
        table = self.tables.rows[kind.name]
        place = tuple_(*natural(table))
        asked = select(table.c.id).where(table.c.id == cursor.id, place == tuple_(*cursor)).limit(1)
        return (await self.connection.execute(asked)).first() is not None

    async def get(self, kind: Kind[Any], row_id: str, as_of: AsOf = None) -> str | None:
        """Return a row's content, or None where there is no such row at that moment."""
        table = self.tables.rows[kind.name]
        asked = select(table.c.body).where(table.c.id == row_id, _valid(table, as_of))
        found = (await self.connection.execute(asked)).first()
        return None if found is None else str(found.body)

    async def bodies(self, kind: Kind[Any], ids: Collection[str]) -> dict[str, str]:
        """Return the contents of those of these rows that exist now, by their ids."""
        table = self.tables.rows[kind.name]
        asked = select(table.c.id, table.c.body).where(table.c.id.in_(ids), latest(table))
        return {row.id: row.body for row in await self.connection.execute(asked)}

    async def page(
        self,
        kind: Kind[Any],
        filters: Mapping[str, str],
        limit: int,
        *,
        after: Cursor | None = None,
        oldest_first: bool = False,
        as_of: AsOf = None,
    ) -> Page:
        """Return rows in the order in which they began to exist, the youngest first unless told otherwise."""
        table = self.tables.rows[kind.name]
        order = natural(table)
        asked = select(*order, table.c.body).where(_valid(table, as_of))
        for field, value in filters.items():
            asked = asked.where(column_of(table, field) == value)
        if after is not None:
            place = tuple_(*order)
            asked = asked.where(place > tuple(after) if oldest_first else place < tuple(after))
        asked = asked.order_by(*(order if oldest_first else (column.desc() for column in order))).limit(limit + 1)
        rows = (await self.connection.execute(asked)).all()
        following = Cursor(*rows[limit - 1][:-1]) if len(rows) > limit else None
        return Page([row[-1] for row in rows[:limit]], following)


def _valid(table: Table, as_of: AsOf) -> ColumnElement[bool]:
    """Say which version of each row counts."""
    if as_of is None:
        return latest(table)
    if isinstance(as_of, int):
        # A row that was there then was born before: said again, so that younger ones need not be gone through.
        return and_(table.c.born_at <= as_of, table.c.from_at <= as_of, table.c.until_at > as_of)
    places = [
        and_(table.c.log == log, table.c.part == part, table.c.from_offset < end, table.c.until_offset >= end)
        for log, offsets in as_of.logs.items()
        for part, end in enumerate(offsets)
    ]
    return or_(*places) if places else false()
