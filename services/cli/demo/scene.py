"""What a run shows, and the two ways to show it to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.outcomes import InputOutcome
from services.cli.console import Console
from services.cli.demo.calendar import Calendar
from services.cli.demo.seen import Happened, Instructed
from services.cli.demo.step import Post, Step
from services.cli.demo.words import Content


@dataclass(frozen=True, slots=True)
class Posted:
    """One input on its way: `number` counts those of one step from 0."""

    at: int
    step: Step
    number: int
    post: Post
    content: Content
    position: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What the logs say of one cover, in base units."""

    cover: str
    holder: str
    amount_minor: int
    paid_minor: int

    @property
    def remaining_minor(self) -> int:
        """What is left of the cover."""
        return self.amount_minor - self.paid_minor


class Show(Protocol):
    """Shows a run while it goes on."""

    def opening(self, space: str, calendar: Calendar) -> None:
        """Say what this is."""

    def note(self, kind: str, content: Mapping[str, Any], *text: str) -> None:
        """Say something about the run itself: for programs, and for people."""

    def begins(self, calendar: Calendar) -> None:
        """The story begins, by this calendar."""

    def posted(self, inputs: list[Posted]) -> None:
        """Somebody posts the inputs of one step."""

    def answered(self, posted: Posted, outcome: InputOutcome, caused: list[Happened]) -> None:
        """What became of an input, with the events it caused in the log that decided it."""

    def happened(self, happened: Happened) -> None:
        """Something follows from an input, or falls due."""

    def instructed(self, instructed: Instructed) -> None:
        """A payout is instructed."""

    def balances(self, balances: list[Balance]) -> None:
        """The end of the story: what was paid, and what is left."""

    def books(self, accounts: Mapping[str, int]) -> None:
        """The pool's books: the sum of all postings by account, debits positive, credits negative."""

    def checking(self, export: Path | None) -> Console:
        """The verification begins, of an export that stays where it is; return what is written to."""


class Quiet:
    """Shows nothing."""

    def opening(self, space: str, calendar: Calendar) -> None:
        """Show nothing."""

    def note(self, kind: str, content: Mapping[str, Any], *text: str) -> None:
        """Show nothing."""

    def begins(self, calendar: Calendar) -> None:
        """Show nothing."""

    def posted(self, inputs: list[Posted]) -> None:
        """Show nothing."""

    def answered(self, posted: Posted, outcome: InputOutcome, caused: list[Happened]) -> None:
        """Show nothing."""

    def happened(self, happened: Happened) -> None:
        """Show nothing."""

    def instructed(self, instructed: Instructed) -> None:
        """Show nothing."""

    def balances(self, balances: list[Balance]) -> None:
        """Show nothing."""

    def books(self, accounts: Mapping[str, int]) -> None:
        """Show nothing."""

    def checking(self, export: Path | None) -> Console:
        """Show nothing."""
        return Console(as_json=False)
