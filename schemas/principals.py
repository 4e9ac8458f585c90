"""Principals: keys that governance registered, told to every service that proves senders."""

from .envelope import Event, message
from .ids import PrincipalId
from .outcomes import NextStep


@message("principal.registered.v1")
class PrincipalRegistered(Event):
    """A key may vouch: on which streams, and for which accounts (`*`: all).

    `public_key` is Ed25519, 32 bytes in hex.
    """

    principal: PrincipalId
    public_key: str
    streams: tuple[str, ...]
    accounts: tuple[str, ...]
    next: NextStep | None = None


@message("principal.revoked.v1")
class PrincipalRevoked(Event):
    """A key may vouch no more."""

    principal: PrincipalId
    next: NextStep | None = None
