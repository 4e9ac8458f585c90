"""What an account holds: covers, as claims says, and shares of capital, as pools say; assessor or not."""

from collections.abc import Sequence

from schemas.assessors import CapitalNoted, HoldingNoted, NoteCapital, NoteHolding
from schemas.envelope import Event
from services.assessors.assessor import Assessor


def note_holding(assessor: Assessor, note: NoteHolding) -> Sequence[Event]:
    """Note a cover, once."""
    if assessor.covers.get(note.cover) == note.until:
        return ()
    noted = HoldingNoted(account=note.account, cover=note.cover, product=note.product, until=note.until)
    return (noted,)


def note_capital(assessor: Assessor, note: NoteCapital) -> Sequence[Event]:
    """Note a share of a pool's capital, where it is another one than so far."""
    if assessor.shares.get(note.pool, 0) == note.share_bps:
        return ()
    return (CapitalNoted(account=note.account, pool=note.pool, share_bps=note.share_bps),)
