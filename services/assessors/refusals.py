"""Refusals that several actions of an assessor share."""

from schemas.instants import format_instant
from services.assessors.assessor import Leaving
from services.kernel.decider import Refused


def not_registered(account: str) -> Refused:
    """Refuse an action of an account that is no assessor."""
    return Refused(
        rule="assessor.not-registered",
        value=account,
        accepted="an account that registered with assessor.register.v1",
        unknown=True,
    )


def terms_unknown() -> Refused:
    """Refuse to move stake before governance said what a stake is."""
    return Refused(
        rule="stake.terms-unknown",
        value="no terms of stakes are set",
        accepted="the same once governance has set them",
        unknown=True,
    )


def already_leaving(leaving: Leaving) -> Refused:
    """Refuse a second withdrawal beside the one under way."""
    how = "is held by open cases it voted in" if leaving.announced else "waits for its notice"
    accepted = "one withdrawal at a time: the next once this one is paid out"
    if not leaving.announced:
        accepted += f", stake.withdraw.v1 from {format_instant(leaving.available_at)} on"
    return Refused(
        rule="stake.withdrawal-pending",
        value=f"withdrawal {leaving.withdrawal} of {leaving.amount_minor} base units {how}",
        accepted=accepted,
    )


def nothing_leaving(account: str) -> Refused:
    """Refuse to take out what nobody asked for."""
    return Refused(
        rule="stake.nothing-requested",
        value=f"{account} asked for no withdrawal",
        accepted="stake.request-withdrawal.v1 first",
    )


def notice_running(leaving: Leaving) -> Refused:
    """Refuse to take stake out before its notice is over."""
    return Refused(
        rule="stake.notice-running",
        value=f"withdrawal {leaving.withdrawal} of {leaving.amount_minor} base units, before its notice is over",
        accepted=f"the same from {format_instant(leaving.available_at)} on",
        not_before=leaving.available_at,
    )
