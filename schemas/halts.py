"""Halts of products, and the one function by which windows count time outside them, for every service.

A halt is [effective_at, until). A product has one at a time, so its halts, in the order of time, do not overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .governance import ProductHalted, ProductOpened
from .instants import LAST


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt, in milliseconds: `effective_at` is inside, `until` is not."""

    effective_at: int
    until: int


Halts = tuple[Halt, ...]
NO_HALTS: Halts = ()


def noted(halts: Halts, fact: ProductHalted | ProductOpened) -> Halts:
    """Add a halt, or end one before its time; one that ends before it takes effect never was."""
    others = [halt for halt in halts if halt.effective_at != fact.effective_at]
    if isinstance(fact, ProductOpened) and len(others) == len(halts):
        return halts
    if fact.effective_at < fact.until:
        others.append(Halt(fact.effective_at, fact.until))
    return tuple(sorted(others, key=lambda halt: halt.effective_at))


def halted(halts: Sequence[Halt], at: int) -> Halt | None:
    """Return the halt in which an instant lies."""
    return next((halt for halt in halts if halt.effective_at <= at < halt.until), None)


def passed(start: int, span: int, halts: Sequence[Halt]) -> int:
    """Return the first instant at which `span` has passed since `start` outside halts; at most the last instant."""
    end = start + span
    for halt in halts:
        begin = max(halt.effective_at, start)
        if begin >= end:
            break
        if halt.until > begin:
            end += halt.until - begin
    return min(end, LAST)
