"""The run as a timeline for people: by day, who does what, then what the services answer."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich.console
from rich.text import Text

from schemas.outcomes import InputOutcome, NextStep
from services.cli.console import Console, columns, printable
from services.cli.demo import words
from services.cli.demo.calendar import Calendar, Hurried
from services.cli.demo.cast import amount, both, name_of, plain, units
from services.cli.demo.scene import Balance, Posted
from services.cli.demo.seen import Happened, Instructed
from services.cli.render import place

_CLOCK, _WHO, _LABEL = 7, 14, 10
_BOTH_COLUMNS = 95
"""What a line about a cover needs, base units included."""
_OPENING = """\
Adjudex: a vault is emptied, the capital does not suffice, and everybody gets the same share.

All of it happens in a space made for this run, on one log. The clock is virtual: days pass in milliseconds. Keys and \
accounts come from fixed seeds, so that every run writes the same bytes; never use them for anything else.

Whoever acts stands on the left, and below it what the services decide. People post through a gateway that vouches \
for them. Amounts are in USDC, with base units (6 decimals) in brackets. With --data DIR the log is kept, to look \
into with `adjudex log show`."""

_HURRIED = """\
Adjudex on Apache Kafka: a vault is emptied, the capital does not suffice, and everybody gets the same share.

It is the story of `adjudex demo`, but through topics and separate processes, and on the wall's clock. Its rulebook is \
in a hurry: a day takes {days} seconds, so that the vote of 72 hours lasts {vote}. On the left are seconds since the \
beginning; what falls due carries the instant at which it was due, and is shown when it was read. Nobody acts on an \
answer before it was read. What is said in between keeps to the story's days. Keys and accounts come from fixed seeds; \
never use them for anything else.

Whoever acts stands on the left, and below it what the services decide. People post through a gateway that vouches \
for them. Amounts are in USDC, with base units (6 decimals) in brackets."""


class Timeline:
    """Prints as things happen: plain text, or in colours on a terminal."""

    def __init__(self) -> None:
        self._calendar = Calendar(0)
        self._console = rich.console.Console(highlight=False)
        self._columns = columns()
        self._day = 0
        self._at = 0
        self._clock = ""
        self._spaced = True
        self._answers: list[InputOutcome] = []

    # --- what a run shows

    def opening(self, space: str, calendar: Calendar) -> None:
        """Say what this is."""
        self.begins(calendar)
        text = (
            _HURRIED.format(days=calendar.day_s, vote=3 * calendar.day_s) if isinstance(calendar, Hurried) else _OPENING
        )
        for number, paragraph in enumerate(text.split("\n\n")):
            self._space()
            for line in self._wrap(paragraph, 0):
                self._print(Text(line, "bold" if number == 0 else ""))

    def note(self, _kind: str, _content: Mapping[str, Any], *text: str) -> None:
        """Print something about the run itself."""
        self._space()
        for line in text:
            indent = len(line) - len(line.lstrip())
            for part in self._wrap(line.strip(), indent):
                self._print(Text(" " * indent + part))

    def begins(self, calendar: Calendar) -> None:
        """Count days and seconds from here."""
        self._calendar = calendar

    def posted(self, inputs: list[Posted]) -> None:
        """Print who posts what."""
        first = inputs[0]
        self._begin(first.at)
        for line in self._wrap(first.step.aside, _CLOCK) if first.step.aside else ():
            self._print(Text(" " * _CLOCK).append(line, "italic"))
        self._row(first.at, first.step.who, words.saying([posted.content for posted in inputs], self._calendar), "bold")
        self._answers = []

    def answered(self, posted: Posted, outcome: InputOutcome, caused: list[Happened]) -> None:
        """Print what became of an input; of several posted at once, what went wrong, and how many went well."""
        self._answers.append(outcome)
        service = outcome.log_position.partition(".")[0]
        several = len(posted.step.posts)
        if outcome.fate != "decided":
            self._undecided(outcome, service)
        if several == 1 or outcome.fate != "decided":
            for happened in caused:
                self.happened(happened)
            if not any(words.says_what_is_next(happened.event) for happened in caused):
                self._next(outcome.next)
        if len(self._answers) == several > 1:
            self._summed_up(outcome.at, service, caused)

    def happened(self, happened: Happened) -> None:
        """Print an event, unless another says the same."""
        sentence = words.happening(happened, self._calendar)
        if sentence is not None:
            self._due(happened.at)
            self._row(happened.at, happened.service, sentence)

    def instructed(self, instructed: Instructed) -> None:
        """Print a payout instruction."""
        self._due(instructed.at)
        self._row(instructed.at, "payouts", words.instructing(instructed, self._calendar))

    def balances(self, balances: list[Balance]) -> None:
        """Print what is left of each cover."""
        self._heading("What is left of the covers")
        for balance in balances:
            spell = both if self._columns >= _BOTH_COLUMNS else amount
            paid, remaining = amount(balance.paid_minor), spell(balance.remaining_minor)
            self._print(
                Text(f"{balance.cover:<15}{name_of(balance.holder):<7}{amount(balance.amount_minor):>12}").append(
                    f"   paid {paid:>12}   remaining {remaining}"
                )
            )

    def books(self, accounts: Mapping[str, int]) -> None:
        """Print the pool's books, with what shows that they balance."""
        self._heading("The books of the pool, from every posting in its log")
        self._print(Text(f"{'account':<18}{'debit':>18}{'credit':>18}", "dim"))
        for name, amount_minor in accounts.items():
            debit, credit = units(max(amount_minor, 0)), units(max(-amount_minor, 0))
            self._print(
                Text(f"{name:<18}{debit if amount_minor > 0 else '':>18}{credit if amount_minor < 0 else '':>18}")
            )
        debits = sum(amount_minor for amount_minor in accounts.values() if amount_minor > 0)
        credits_ = -sum(amount_minor for amount_minor in accounts.values() if amount_minor < 0)
        balance = "the books balance" if debits == credits_ else "THE BOOKS DO NOT BALANCE"
        self._print(Text(f"{'':<18}{units(debits):>18}{units(credits_):>18}   {balance}", "bold"))

    def checking(self, export: Path | None) -> Console:
        """Print a heading."""
        self._heading("What the verifier finds, which takes an export and believes nothing")
        if export is not None:
            beside = "" if isinstance(self._calendar, Hurried) else "; beside it is the log"
            self._print(Text(f"{export} is the export{beside}."))
            self._space()
        self._spaced = False
        return Console(as_json=False)

    # --- answers

    def _undecided(self, outcome: InputOutcome, service: str) -> None:
        refusal = outcome.refusal
        if refusal is not None:
            self._labelled("refused", refusal.rule, service, "red")
            self._labelled("value", plain(refusal.value, self._calendar))
            self._labelled("accepted", plain(refusal.accepted, self._calendar))
            if refusal.not_before is not None:
                self._labelled("from", self._calendar.moment(refusal.not_before))
        elif outcome.fate == "duplicate":
            text = f"of {place(outcome.of or '')}, which was decided before: nothing happens twice"
            self._labelled("duplicate", text, service)
        else:
            self._labelled(outcome.fate.replace("-", " "), plain(outcome.reason or "", self._calendar), service, "red")

    def _summed_up(self, at: int, service: str, caused: list[Happened]) -> None:
        """Say how many of a step's inputs went well, and what comes next where that is the same for all."""
        well = sum(answer.fate == "decided" for answer in self._answers)
        count = f"all {well}" if well == len(self._answers) else f"{well} of {len(self._answers)}"
        tally = words.tally(caused[-1].event) if caused else None
        self._row(at, service, f"takes {count}{f': {tally}' if tally else ''}")
        steps = [answer.next for answer in self._answers]
        if tally or all(step == steps[-1] for step in steps):
            self._next(steps[-1])

    def _next(self, step: NextStep | None) -> None:
        if step is not None:
            due = "" if step.due_at is None else f"; by {self._calendar.moment(step.due_at)}"
            self._labelled("next", plain(step.step, self._calendar) + due, style="dim")

    # --- rows

    def _labelled(self, label: str, text: str, who: str = "", style: str = "") -> None:
        head = Text.assemble(" " * _CLOCK, (f"{who:<{_WHO}}", "cyan"), (f"{label:<{_LABEL}}", style))
        self._hanging(head, text)

    def _row(self, at: int, who: str, text: str, style: str = "cyan") -> None:
        """Print who does something; the time stands where it changes."""
        clock = self._calendar.clock_of(at)
        head = Text.assemble(f"{clock if clock != self._clock else '':<{_CLOCK}}", (f"{who:<{_WHO}}", style))
        self._clock = clock
        self._hanging(head, text)

    def _hanging(self, head: Text, text: str) -> None:
        indent = len(head)
        for line in self._wrap(text, indent):
            self._print(head.append(line))
            head = Text(" " * indent)

    def _due(self, at: int) -> None:
        """Begin a block of its own for what falls due at another time than the block before."""
        if not self._calendar.is_one_moment(at, self._at):
            self._begin(at)

    def _begin(self, at: int) -> None:
        """Begin a block, and a day when one begins."""
        self._clock, self._at = "", at
        day, heading = self._calendar.day_of(at), self._calendar.heading(at)
        if day == self._day or heading is None:
            self._space()
            return
        self._day = day
        self._heading(heading)

    def _heading(self, text: str) -> None:
        self._space()
        self._print(Text(text, "bold"))
        self._print(Text("-" * self._columns, "dim"))
        self._spaced = True

    def _space(self) -> None:
        """Leave a line empty, unless one is, or a heading stands there."""
        if not self._spaced:
            self._print(Text())
        self._spaced = True

    def _wrap(self, text: str, indent: int) -> list[str]:
        columns = self._columns - indent
        return textwrap.wrap(printable(text), columns, break_long_words=False, break_on_hyphens=False)

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
        self._spaced = False
