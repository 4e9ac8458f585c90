"""A timeline: which of many instants is nearest, without looking at all of them.

It is a balanced search tree (AVL) whose versions share what did not change: finding, adding and removing each touch
one path from the root, at most 1.44 × log2 of the number of entries long. Buckets of time would need a width chosen
in advance, and rulebooks differ in how far apart two reports of one event may lie; a tree serves any distance.
"""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True, slots=True)
class Timeline:
    """The root of a tree that is not empty: its own entry, and what lies before and after it.

    `instant` is in milliseconds; `height` counts the entries on the longest path down.
    """

    instant: int
    number: int
    height: int = 1
    before: Optional["Timeline"] = None
    after: Optional["Timeline"] = None


def put(root: Timeline | None, instant: int, number: int) -> Timeline:
    """Add `number` at an instant at which there is none yet."""
    if root is None:
        return Timeline(instant, number)
    assert instant != root.instant, "an instant has one number"
    if instant < root.instant:
        return _balanced(root, put(root.before, instant, number), root.after)
    return _balanced(root, root.before, put(root.after, instant, number))


def remove(root: Timeline | None, instant: int) -> Timeline | None:
    """Remove the entry at an instant at which there is one."""
    assert root is not None, "there is nothing to remove"
    if instant < root.instant:
        return _balanced(root, remove(root.before, instant), root.after)
    if instant > root.instant:
        return _balanced(root, root.before, remove(root.after, instant))
    if root.after is None:
        return root.before
    first = root.after
    while first.before is not None:
        first = first.before
    return _balanced(first, root.before, remove(root.after, first.instant))


def nearest(root: Timeline | None, instant: int, within: int) -> int | None:
    """Find the number nearest to `instant`, at most `within` milliseconds away; of two, the earlier one's."""
    best, best_distance, here = None, within, root
    while here is not None:
        distance = abs(instant - here.instant)
        if distance < best_distance or (distance == best_distance and (best is None or here.instant < best.instant)):
            best, best_distance = here, distance
        here = here.before if instant < here.instant else here.after
    return None if best is None else best.number


def _balanced(root: Timeline, before: Timeline | None, after: Timeline | None) -> Timeline:
    """Put the entry of `root` over two trees that differ by at most two in height, and restore the balance."""
    if before is not None and before.height > _height(after) + 1:
        if _height(before.after) > _height(before.before):
            before = _after_up(before)
        return _before_up(_over(root, before, after))
    if after is not None and after.height > _height(before) + 1:
        if _height(after.before) > _height(after.after):
            after = _before_up(after)
        return _after_up(_over(root, before, after))
    return _over(root, before, after)


def _height(root: Timeline | None) -> int:
    return 0 if root is None else root.height


def _over(root: Timeline, before: Timeline | None, after: Timeline | None) -> Timeline:
    return Timeline(root.instant, root.number, 1 + max(_height(before), _height(after)), before, after)


def _before_up(root: Timeline) -> Timeline:
    top = root.before
    assert top is not None, "the higher side has an entry"
    return _over(top, top.before, _over(root, top.after, root.after))


def _after_up(root: Timeline) -> Timeline:
    top = root.after
    assert top is not None, "the higher side has an entry"
    return _over(top, _over(root, root.before, top.before), top.after)
