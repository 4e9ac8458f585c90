"""A lively run: everything that can become of an input, with restarts wherever a test wants them."""

from collections.abc import Callable

from .harness import Harness
from .toy import WINDOW, ChangeRate, Explode, InsertCoin

Act = Callable[[Harness], object]


def _coin(partition: int, value_minor: int, *, id: str | None = None, nth: int = 0) -> Act:  # noqa: A002
    def act(harness: Harness) -> None:
        harness.put(InsertCoin(till=harness.name_in(partition, nth=nth), value_minor=value_minor), id=id)

    return act


def _rate(rate: int, tell: int | None = None) -> Act:
    def act(harness: Harness) -> None:
        harness.put(ChangeRate(rate=rate, tell=None if tell is None else harness.name_in(tell)))

    return act


def _unknown(partition: int) -> Act:
    return lambda harness: harness.put(Explode(till=harness.name_in(partition, nth=7)))


def _misplaced(harness: Harness) -> None:
    harness.put(InsertCoin(till=harness.name_in(1, nth=2), value_minor=11), partition=0, id="misplaced")


def _broken(harness: Harness) -> None:
    record = harness.record(InsertCoin(till=harness.name_in(0), value_minor=1))
    harness.append(record._replace(value=b"{"), record._replace(value=b"{}"))


def _wait(milliseconds: int) -> Act:
    return lambda harness: harness.pass_time(milliseconds)


SCHEDULE: tuple[Act, ...] = (
    _coin(0, 5, id="a"),
    _coin(1, 7),
    _rate(3, tell=1),
    _wait(10),
    _coin(0, 5, id="a"),
    _coin(0, 6, id="a"),
    _coin(0, 0),
    _misplaced,
    _unknown(0),
    _wait(1),
    _broken,
    _rate(3),
    _coin(0, 2, nth=1),
    _misplaced,
    _rate(4),
    _wait(WINDOW // 2),
    _coin(1, 1, nth=1),
    _coin(0, 4),
    _wait(WINDOW // 2 + 2_000),
    _coin(0, 9),
    _coin(1, 9),
    _wait(5 * WINDOW),
    _coin(1, 3, nth=3),
    _rate(5, tell=0),
    _wait(2 * WINDOW),
)
"""Acts, each followed by a run until nothing is left to do."""


def play(harness: Harness, *, restart_before: frozenset[int] = frozenset()) -> None:
    """Play the schedule, restarting everything before some acts."""
    for number, act in enumerate(SCHEDULE):
        if number in restart_before:
            harness.restart()
        act(harness)
        harness.run_until_idle()
    assert harness.stopped == {}
