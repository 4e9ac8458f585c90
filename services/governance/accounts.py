"""Who may speak for whom: principals, and groups of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.envelope import Event
from schemas.governance import (
    GroupSet,
    PrincipalRegistered,
    PrincipalRevoked,
    RegisterPrincipal,
    RevokePrincipal,
    SetGroup,
)
from schemas.outcomes import NextStep
from schemas.topics import INPUTS, OWNED
from services.kernel.decider import Refused
from services.kernel.persistent import PersistentMap

ALL = "*"
"""Stands for every stream, or every account."""
STREAMS = tuple(stream.name for stream in INPUTS)
RESERVED = tuple(OWNED.values())
"""Owners of streams: the space's configuration knows them, so governance can neither make nor unmake them."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A live principal: its key in hex, and what it may do; both lists in order, without repeats."""

    public_key: str
    streams: tuple[str, ...]
    accounts: tuple[str, ...]


def register(principals: PersistentMap[str, Registration], action: RegisterPrincipal) -> Event:
    """Register a principal, or give a live one another key, other streams or other accounts."""
    if action.principal in RESERVED:
        return _reserved(action.principal)
    unknown = [stream for stream in action.streams if stream not in STREAMS and stream != ALL]
    if unknown:
        accepted = f"{', '.join(STREAMS)}, or {ALL} for all of them"
        return Refused(rule="principal.stream-unknown", value=", ".join(unknown), accepted=accepted)
    terms = Registration(
        action.public_key,
        (ALL,) if ALL in action.streams else _listed(action.streams),
        (ALL,) if action.accounts == ALL else _listed(action.accounts),
    )
    if principals.get(action.principal) == terms:
        return Refused(
            rule="principal.unchanged",
            value=f"{action.principal} with the key, streams and accounts it has",
            accepted="another key, other streams or other accounts",
        )
    return PrincipalRegistered(
        principal=action.principal,
        public_key=terms.public_key,
        streams=terms.streams,
        accounts=terms.accounts,
        next=NextStep(step=f"{action.principal} can vouch, at each service from when it hears of this"),
    )


def revoke(principals: PersistentMap[str, Registration], action: RevokePrincipal) -> Event:
    """Revoke a live principal."""
    if action.principal in RESERVED:
        return _reserved(action.principal)
    if action.principal not in principals:
        return Refused(
            rule="principal.unknown", value=action.principal, accepted="a registered principal", unknown=True
        )
    step = f"{action.principal} can vouch no more, at each service from when it hears of this"
    return PrincipalRevoked(principal=action.principal, next=NextStep(step=step))


def set_group(
    groups: PersistentMap[str, tuple[str, ...]],
    principals: PersistentMap[str, Registration],
    action: SetGroup,
) -> Event:
    """Say who the members of a group are; a member that is no live principal would be a mistake nobody notices."""
    members = _listed(action.members)
    if groups.get(action.group, ()) == members:
        return Refused(
            rule="group.unchanged",
            value=f"{action.group} with members {', '.join(members)}" if members else f"{action.group} without members",
            accepted="other members",
        )
    unknown = [member for member in members if member not in principals]
    if unknown:
        return Refused(
            rule="group.member-unknown", value=", ".join(unknown), accepted="registered principals", unknown=True
        )
    step = f"{', '.join(members)} act for {action.group}" if members else f"nobody acts for {action.group}"
    return GroupSet(group=action.group, members=members, next=NextStep(step=step))


def _reserved(principal: str) -> Refused:
    return Refused(rule="principal.reserved", value=principal, accepted=f"an id other than {', '.join(RESERVED)}")


def _listed(items: Iterable[str]) -> tuple[str, ...]:
    """Spell a set in one way: the same members in another order, or twice, are the same terms."""
    return tuple(sorted(dict.fromkeys(items)))
