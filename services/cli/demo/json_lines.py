"""The run as JSON lines, for programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import Message
from schemas.instants import format_instant
from schemas.outcomes import InputOutcome
from services.cli.console import Console
from services.cli.demo.calendar import Calendar
from services.cli.demo.scene import Balance, Posted
from services.cli.demo.seen import Happened, Instructed
from services.cli.demo.step import Unreadable


class JsonLines(Console):
    """Writes one object a line, each with its type and instant; the last has the log hash."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self._at = 0

    def _line(self, kind: str, at: int, **content: Any) -> None:  # noqa: ANN401 - JSON
        self._at = max(self._at, at)
        super().put({"type": kind, "at": format_instant(at), **content})
        self.flush()

    def opening(self, space: str, calendar: Calendar) -> None:
        """Name the space."""
        note = "keys, accounts and incarnations are derived from fixed seeds: for demonstration only"
        self._line("space", calendar.opening, name=space, note=note)

    def note(self, kind: str, content: Mapping[str, Any], *_text: str) -> None:
        """Write something about the run itself."""
        self._line(kind, self._at, **content)

    def begins(self, calendar: Calendar) -> None:
        """Write how long a day takes."""
        self._line("story", calendar.opening, day_ms=calendar.day)

    def posted(self, inputs: list[Posted]) -> None:
        """Write each input as it was posted."""
        for posted in inputs:
            content = posted.content
            self._line(
                "input",
                posted.at,
                who=posted.step.who,
                stream=posted.post.stream,
                id=posted.post.id,
                position=posted.position,
                wire=content.wire,
                content=content.value.decode() if isinstance(content, Unreadable) else _json(content),
            )

    def answered(self, posted: Posted, outcome: InputOutcome, caused: list[Happened]) -> None:
        """Write the outcome, then the events it is about."""
        content = _json(outcome)
        del content["at"]
        self._line("outcome", outcome.at, **content)
        for happened in caused:
            self.happened(happened)

    def happened(self, happened: Happened) -> None:
        """Write an event with its place in the logs."""
        self._line(
            "event",
            happened.at,
            log_position=happened.position,
            key=happened.key,
            input=happened.input,
            wire=happened.event.wire,
            content=_json(happened.event),
        )

    def instructed(self, instructed: Instructed) -> None:
        """Write a payout instruction."""
        self._line("instruction", instructed.at, **_json(instructed.instruction))

    def balances(self, balances: list[Balance]) -> None:
        """Write what is left of each cover."""
        for balance in balances:
            self._line(
                "balance",
                self._at,
                cover=balance.cover,
                holder=balance.holder,
                amount_minor=str(balance.amount_minor),
                paid_minor=str(balance.paid_minor),
                remaining_minor=str(balance.remaining_minor),
            )

    def books(self, accounts: Mapping[str, int]) -> None:
        """Write the pool's books, with their sum."""
        spelled = {name: str(amount_minor) for name, amount_minor in accounts.items()}
        self._line("books", self._at, accounts=spelled, sum_minor=str(sum(accounts.values())))

    def checking(self, export: Path | None) -> Console:
        """Name the export, and take the verification as it comes."""
        if export is not None:
            self._line("export", self._at, path=str(export))
        return self

    def put(self, content: Mapping[str, Any], *text: str) -> None:
        """Write the verification, which has the log hash."""
        self._line("verification", self._at, **content)


def _json(message: Message) -> Any:  # noqa: ANN401 - JSON
    return orjson.loads(message.to_bytes())
