"""What governance knows of its siblings: nothing."""

from dataclasses import dataclass

from schemas.envelope import Message
from services.kernel.decider import Principal


@dataclass(frozen=True, slots=True)
class Facts:
    """No sibling tells governance anything."""


class GovernanceFacts:
    """A fold over no broadcasts."""

    state = Facts
    types: tuple[type[Message], ...] = ()

    def initial(self) -> Facts:
        """Return the facts, which never change."""
        return Facts()

    def evolve(self, facts: Facts, fact: Message) -> Facts:
        """Return the facts as they are."""
        return facts

    def principal(self, facts: Facts, principal: str) -> Principal | None:
        """Know nobody: the one stream of governance is owned, so its inputs need no voucher."""
        return None
