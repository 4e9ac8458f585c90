"""An assessor as others reckon with it, and when they have to hear of it."""

from schemas.assessors import AssessorProfiled, Holding, Share
from services.assessors.assessor import Assessor


def changed(before: Assessor, after: Assessor, account: str, at: int) -> AssessorProfiled | None:
    """Return the profile after a decision at `at`, where others reckon with another one so far."""
    if not after.registered:
        return None
    profiled = _profile(after, account, at)
    return None if before.registered and _profile(before, account, at) == profiled else profiled


def _profile(assessor: Assessor, account: str, at: int) -> AssessorProfiled:
    """Say what is left of it: covers that ended can be claimed on no more; of a product, the longest one speaks."""
    return AssessorProfiled(
        assessor=account,
        stake_minor=assessor.weighing_minor,
        linked_accounts=assessor.linked_accounts,
        interests=assessor.interests,
        holdings=tuple(
            Holding(cover=held.cover, product=product, until=held.until)
            for product, held in assessor.holdings.sorted_items()
            if held.until > at
        ),
        shares=tuple(Share(pool=pool, share_bps=bps) for pool, bps in assessor.shares.sorted_items()),
    )
