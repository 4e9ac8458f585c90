"""The tables of a read model: one of row versions for each kind, one of progress, one of instants; all made here.

A version is valid for log positions in [from_offset, until_offset) of its log partition and for instants in
[from_at, until_at). Instants here are what the partition had reached when it decided, and never go back, so that an
instant, like a position, is a prefix of every log; the table of instants says which one. The latest version of a row
ends at OPEN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, MetaData, Table, Text, literal_column
from sqlalchemy.types import TypeEngine

from .kind import Kind

OPEN = 2**63 - 1
"""The end of what has no end yet."""
_FIELDS = "by_"
"""Before the names of columns that hold a field of the row."""


def _text() -> TypeEngine[str]:
    """Text that orders by its bytes, on every database."""
    return Text(collation="C").with_variant(Text(), "sqlite")


def column_of(table: Table, name: str) -> Column[Any]:
    """Return the column that holds a field of the row."""
    return table.c[f"{_FIELDS}{name}"]


def field_value(value: object) -> str | None:
    """Spell a field as its column holds it."""
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one generation of the read model."""

    generation: int
    metadata: MetaData
    rows: dict[str, Table]
    progress: Table
    instants: Table


def prefix_of(generation: int) -> str:
    """Return how the names of a generation's tables begin."""
    return f"v{generation}_"


def tables_of(generation: int, kinds: Sequence[Kind[Any]]) -> Tables:
    """Describe the tables of a generation: their names begin with its number, so that two can stand side by side."""
    metadata = MetaData()
    prefix = prefix_of(generation)
    rows = {kind.name: _rows(metadata, f"{prefix}{kind.name.replace('-', '_')}", kind) for kind in kinds}
    progress = Table(
        f"{prefix}progress",
        metadata,
        Column("log", _text(), primary_key=True),
        Column("part", Integer, primary_key=True, autoincrement=False),
        Column("next_offset", BigInteger, nullable=False),
        Column("chain", _text(), nullable=False),
        Column("at", BigInteger, nullable=False),
    )
    instants = Table(
        f"{prefix}instants",
        metadata,
        Column("log", _text(), primary_key=True),
        Column("part", Integer, primary_key=True, autoincrement=False),
        Column("at", BigInteger, primary_key=True, autoincrement=False),
        Column("next_offset", BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    return Tables(generation, metadata, rows, progress, instants)


def _rows(metadata: MetaData, name: str, kind: Kind[Any]) -> Table:
    table = Table(
        name,
        metadata,
        Column("id", _text(), primary_key=True),
        Column("from_offset", BigInteger, primary_key=True, autoincrement=False),
        Column("until_offset", BigInteger, nullable=False),
        Column("log", _text(), nullable=False),
        Column("part", Integer, nullable=False),
        Column("from_at", BigInteger, nullable=False),
        Column("until_at", BigInteger, nullable=False),
        Column("born_at", BigInteger, nullable=False),
        Column("born_offset", BigInteger, nullable=False),
        Column("body", _text(), nullable=False),
        *(Column(f"{_FIELDS}{field}", _text()) for field in kind.filters),
    )
    only: dict[str, Any] = {"sqlite_where": latest(table), "postgresql_where": latest(table)}
    Index(f"{name}_latest", table.c.id, unique=True, **only)
    Index(f"{name}_natural", *natural(table), **only)
    # By field and then by age, so that the first page is read off where nearly all rows have the value, too.
    for field in kind.filters:
        Index(f"{name}_{field}", column_of(table, field), table.c.born_at, **only)
    # Of all versions: for pages as of some instant.
    Index(f"{name}_born", table.c.born_at)
    return table


def latest(table: Table) -> ColumnElement[bool]:
    """Select the latest versions. With the number in the text: of a parameter, no database knows that indexes fit."""
    return table.c.until_offset == literal_column(str(OPEN))


def natural(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of a row's natural position: when and where it began to exist."""
    return table.c.born_at, table.c.log, table.c.part, table.c.born_offset, table.c.id


def catalogue(metadata: MetaData) -> Table:
    """Describe the table that names the generations and says which one is read."""
    return Table(
        "views",
        metadata,
        Column("generation", Integer, primary_key=True, autoincrement=False),
        Column("status", _text(), nullable=False),
        Column("space", _text(), nullable=False),
        Column("fingerprint", _text(), nullable=False),
    )
