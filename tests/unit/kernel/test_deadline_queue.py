"""The queue of deadlines against the plain search it stands for."""

from hypothesis import given
from hypothesis import strategies as st

from services.kernel.deadlines import DeadlineQueue
from services.kernel.decider import Deadline

DEADLINES = st.lists(
    st.builds(Deadline, st.sampled_from(["close", "answer"]), st.integers(0, 5)), max_size=3, unique=True
)
UPDATES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), DEADLINES), max_size=40)


def found(listed: dict[str, list[Deadline]]) -> tuple[int, str, Deadline] | None:
    everything = [(deadline.due, key, deadline.name) for key, held in listed.items() for deadline in held]
    if not everything:
        return None
    due, key, name = min(everything)
    return due, key, Deadline(name, due)


@given(UPDATES)
def test_the_earliest_is_the_one_a_search_finds(updates: list[tuple[str, list[Deadline]]]) -> None:
    queue, listed = DeadlineQueue(), dict[str, list[Deadline]]()
    for key, deadlines in updates:
        queue.update(key, deadlines)
        listed[key] = deadlines
        assert queue.soonest() == found(listed)
        assert len(queue) == sum(bool(held) for held in listed.values())


def test_a_deadline_that_comes_back_is_open_again() -> None:
    queue = DeadlineQueue()
    for deadlines in ([Deadline("close", 5)], [], [Deadline("close", 5)]):
        queue.update("a", deadlines)
    assert queue.soonest() == (5, "a", Deadline("close", 5))


def test_a_thousand_changes_of_mind_leave_one_deadline() -> None:
    queue = DeadlineQueue()
    for due in range(1_000, 0, -1):
        queue.update("a", [Deadline("close", due)])
        queue.update("b", [Deadline("close", due + 5_000)])
    assert queue.soonest() == (1, "a", Deadline("close", 1))
    queue.update("a", [])
    assert queue.soonest() == (5_001, "b", Deadline("close", 5_001))
    assert len(queue._heap) < 200, "hints that are open no more are forgotten"


def test_what_is_late_counts_later__and_what_is_on_time_comes_first() -> None:
    queue = DeadlineQueue()
    for key, due in (("a", 1), ("b", 2), ("c", 3)):
        queue.update(key, [Deadline("close", due)])
    queue.postpone(3, 10)
    order = []
    while (first := queue.soonest()) is not None:
        order.append(first)
        queue.update(first[1], [])
    assert [(instant, key) for instant, key, _ in order] == [(3, "c"), (10, "a"), (10, "b")]


def test_what_is_late_stays_so__and_what_opens_later_does_not_become_it() -> None:
    queue = DeadlineQueue()
    queue.update("late", [Deadline("close", 1)])
    queue.postpone(5, 10)
    for due in range(1_000, 6, -1):
        queue.update("new", [Deadline("close", due)])
    assert queue.soonest() == (7, "new", Deadline("close", 7))
    queue.postpone(5, 20)
    queue.update("new", [])
    assert queue.soonest() == (10, "late", Deadline("close", 1))
