"""What a benchmark says: rows of values and ratios, as a table for people or as JSON for programs."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Literal, NamedTuple, Self


class Spread(NamedTuple):
    """The least, the middle and the largest of what the rounds measured."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Sum up rounds."""
        ordered = sorted(values)
        return cls(ordered[0], median(ordered), ordered[-1])


class Aim(NamedTuple):
    """What is aimed at: the median of the value, or of the ratio."""

    of: Literal["value", "ratio"]
    comparison: Literal["at least", "at most"]
    bound: float

    def met(self, reached: float) -> bool:
        """Compare."""
        return reached >= self.bound if self.comparison == "at least" else reached <= self.bound


class Row(NamedTuple):
    """One thing measured: `ratio` is to the row, or the size, that `beside` names."""

    name: str
    what: str
    value: Spread
    unit: str
    ratio: Spread | None = None
    beside: str = ""
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        """Tell whether the aim is met; None without one."""
        if self.aim is None:
            return None
        reached = self.ratio if self.aim.of == "ratio" else self.value
        assert reached is not None
        return self.aim.met(reached.median)


class Group(NamedTuple):
    """Rows that belong together, with what has to be known to read them."""

    title: str
    notes: Sequence[str]
    rows: Sequence[Row]


def table(group: Group) -> str:
    """Spell a group for people, within 100 columns."""
    lines = [group.title, *(f"  {note}" for note in group.notes)]
    for row in group.rows:
        lines += ["", _line(row), f"      {row.what}"]
    return "\n".join(lines) + "\n"


def as_json(group: Group) -> dict[str, Any]:
    """Spell a group for programs."""
    return {
        "title": group.title,
        "notes": list(group.notes),
        "rows": [
            {
                "name": row.name,
                "what": row.what,
                "unit": row.unit,
                "value": row.value._asdict(),
                "ratio": row.ratio and row.ratio._asdict(),
                "beside": row.beside or None,
                "aim": row.aim and row.aim._asdict(),
                "met": row.met,
            }
            for row in group.rows
        ],
    }


def _line(row: Row) -> str:
    ratio = aim = verdict = ""
    if row.ratio is not None:
        span = f"({row.ratio.least:.2f} – {row.ratio.most:.2f})"
        ratio = f"{row.ratio.median:5.2f} × {row.beside:<17} {span:<15}"
    if row.aim is not None:
        sign = "≥" if row.aim.comparison == "at least" else "≤"
        aim = f"aim {sign} {_number(row.aim.bound)}" + (" ×" if row.aim.of == "ratio" else "")
        verdict = "met" if row.met else "NOT MET"
    value = f"{_number(row.value.median)} {row.unit}"
    return f"  {row.name:<17} {value:>15}  {ratio:<41} {aim:<14} {verdict}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
