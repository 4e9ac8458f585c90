"""Halts of a product: the windows of its open cases stand still meanwhile (anchors.md section 6: two-person halt)."""

from collections.abc import Sequence

from schemas.adjudication import CaseHalted
from schemas.governance import ProductHalted, ProductOpened
from services.adjudication import refusals
from services.adjudication.case import Case
from services.adjudication.facts import Facts
from services.adjudication.stages.registry import STAGES
from services.kernel.decider import Refused


def halt(case: Case, content: ProductHalted, since: int) -> Sequence[CaseHalted]:
    """Let the open stage end later by as much of the halt as is still to come."""
    known = case.kept.halt
    if known is not None and known.effective_at == content.effective_at:
        return ()
    return _moved(case, content.effective_at, content.until, since)


def halt_from_the_start(case: Case, facts: Facts, since: int) -> Sequence[CaseHalted]:
    """Let a stage that opens while its product is halted, or about to be, end later."""
    known = None if case.terms.product is None else facts.halt_of(case.terms.product)
    return () if known is None else _moved(case, known.effective_at, known.until, since)


def open_again(case: Case, content: ProductOpened, since: int) -> Sequence[CaseHalted]:
    """Let the open stage end earlier by what the halt did not last; the time until this is heard is not taken back."""
    known = case.kept.halt
    if case.stage is None or known is None or known.effective_at != content.effective_at:
        return ()
    until = max(content.until, since, known.counted_from)
    if until >= known.until:
        return ()
    closes_at = STAGES[case.stage.stage].closes_at(case.stage) - (known.until - until)
    return (CaseHalted(effective_at=known.effective_at, until=until, closes_at=closes_at),)


def refused(case: Case, facts: Facts, at: int) -> Refused | None:
    """Refuse whatever an assessor does while the product is halted.

    The product counts besides the case: a halt after the end of a window does not move it, and the window may still be
    open then because its owner was away.
    """
    product = case.terms.product
    for known in (case.kept.halt, None if product is None else facts.halt_of(product)):
        if known is not None and known.effective_at <= at < known.until:
            return refusals.halted(case.terms.case, product, known.until)
    return None


def _moved(case: Case, effective_at: int, until: int, since: int) -> Sequence[CaseHalted]:
    if case.stage is None:
        return ()
    closes_at = STAGES[case.stage.stage].closes_at(case.stage)
    counted_from = max(effective_at, since)
    if counted_from >= min(closes_at, until):
        return ()
    moved_at = closes_at + until - counted_from
    return (CaseHalted(effective_at=effective_at, until=until, closes_at=moved_at),)
