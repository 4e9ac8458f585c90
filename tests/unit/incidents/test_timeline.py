"""A timeline finds what a search through everything would find."""

from math import log2

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.incidents import timeline
from services.incidents.timeline import Timeline

instants = st.integers(0, 60) | st.integers(0, 253_402_300_799_999)


def build(entries: dict[int, int]) -> Timeline | None:
    root = None
    for instant, number in entries.items():
        root = timeline.put(root, instant, number)
    return root


def checked_height(root: Timeline | None) -> int:
    """Measure a tree, demanding that it is ordered, balanced, and knows its height."""
    if root is None:
        return 0
    before, after = checked_height(root.before), checked_height(root.after)
    assert abs(before - after) <= 1
    assert root.height == 1 + max(before, after)
    assert root.before is None or root.before.instant < root.instant
    assert root.after is None or root.after.instant > root.instant
    return root.height


def expected(entries: dict[int, int], instant: int, within: int) -> int | None:
    near = [(abs(other - instant), other) for other in entries if abs(other - instant) <= within]
    return entries[min(near)[1]] if near else None


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(instants, unique=True), st.data())
def test_nearest_is_found(present: list[int], data: st.DataObject) -> None:
    entries = {instant: number for number, instant in enumerate(present)}
    root = build(entries)
    checked_height(root)
    for instant in data.draw(st.lists(st.sampled_from(present) if present else st.nothing(), unique=True)):
        root = timeline.remove(root, instant)
        del entries[instant]
        checked_height(root)
    instant, within = data.draw(instants), data.draw(instants)
    assert timeline.nearest(root, instant, within) == expected(entries, instant, within)


def test_removing_everything_leaves_nothing() -> None:
    root = build({1: 1, 2: 2, 3: 3})
    for instant in (2, 1, 3):
        root = timeline.remove(root, instant)
    assert root is None


def test_versions_stay_as_they_were() -> None:
    before = timeline.put(None, 10, 1)
    timeline.put(before, 20, 2)
    timeline.remove(before, 10)
    assert before == Timeline(10, 1)


def test_tree_stays_low__instants_in_order() -> None:
    root = build({instant: instant for instant in range(1, 2001)})
    assert checked_height(root) <= 1.45 * log2(2001)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(instants, unique=True, min_size=1))
def test_timeline_is_read_back_from_a_snapshot(present: list[int]) -> None:
    root = build({instant: number for number, instant in enumerate(present)})
    adapter = TypeAdapter(Timeline | None)
    assert adapter.validate_json(adapter.dump_json(root)) == root
