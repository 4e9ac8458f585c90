"""Laws 5 and 6 of product.md section 13, for cases: the pinned procedure, in its order, to one ruling that stays."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.adjudication import (
    BallotClosed,
    BallotOpened,
    CaseHalted,
    CaseOpened,
    CaseReduced,
    CaseRuled,
    CaseWithdrawn,
    CooldownClosed,
    CooldownOpened,
    CorroborationClosed,
    CorroborationOpened,
    ReportCounted,
)
from schemas.instants import LAST
from schemas.rulebook import Corroboration, Outcome, Stage
from tests.simulation.entries import Entry
from tests.simulation.laws.facts import Facts
from tests.simulation.laws.law import Handlers, LawBroken, broken, demand


@dataclass(slots=True)
class Window:
    """When the open stage ends: `early_at` once everybody has voted; `halt` is the one that moved it last.

    `still_from` is since when it stands still because of that halt.
    """

    closes_at: int
    early_at: int | None = None
    halt: CaseHalted | None = None
    still_from: int = 0

    def move(self, by: int) -> None:
        """Move what ends after it stood still."""
        if self.early_at is not None and self.early_at > self.still_from:
            self.early_at += by
        self.closes_at += by


@dataclass(slots=True)
class CaseBook:
    """A case as its events tell it; `stage` is the open one's place in the procedure."""

    opened: CaseOpened
    procedure: tuple[Stage, ...]
    amount_minor: int
    stage: int | None = None
    last_stage: int = -1
    lapsed: bool = False
    outcome: Outcome | None = None
    over: bool = False
    withdrawn: bool = False
    window: Window | None = None


class Cases:
    """Every case."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.books: dict[str, CaseBook] = {}
        self._counted: dict[tuple[str, int], dict[str, int]] = {}
        self.handlers: Handlers = {
            CaseOpened: self._opened,
            CaseReduced: self._reduced,
            CaseWithdrawn: self._withdrawn,
            CaseHalted: self._halted,
            CaseRuled: self._ruled,
            CorroborationOpened: self._stage_opened,
            BallotOpened: self._stage_opened,
            CooldownOpened: self._stage_opened,
            ReportCounted: self._counts,
            CorroborationClosed: self._corroborated,
            BallotClosed: self._stage_closed,
            CooldownClosed: self._cooled,
        }

    def book(self, entry: Entry) -> CaseBook:
        """Return the case of a record, which must be under decision."""
        book = self.books.get(entry.key.removeprefix("case/"))
        if book is None or book.over:
            broken(entry, "the case is not open")
        return book

    def window(self, entry: Entry) -> Window:
        """Return when the open stage of a case ends."""
        window = self.book(entry).window
        if window is None:
            broken(entry, "no stage of the case is open")
        return window

    def _opened(self, entry: Entry, event: CaseOpened) -> None:
        if event.case in self.books:
            broken(entry, "the case was opened before")
        rulebook = self.facts.rulebooks[event.rulebook]
        procedure = rulebook.incident.procedure if event.subject == "incident" else rulebook.claim.procedure
        self.books[event.case] = CaseBook(event, procedure, event.amount_minor)

    def _reduced(self, entry: Entry, event: CaseReduced) -> None:
        book = self.book(entry)
        if event.amount_minor >= book.amount_minor:
            broken(entry, f"{book.amount_minor} was claimed")
        book.amount_minor = event.amount_minor

    def _withdrawn(self, entry: Entry, event: CaseWithdrawn) -> None:
        book = self.book(entry)
        book.over = book.withdrawn = True

    def _halted(self, entry: Entry, event: CaseHalted) -> None:
        """A window stands still while its product is halted, from when its case hears of it, and no longer."""
        book, told = self.book(entry), self.facts.told(entry)
        window, ends = book.window, told.halts[book.opened.product or ""]
        if book.stage is None or window is None or event.effective_at not in ends:
            broken(entry, f"halts of the product: {ends}")
        before = window.halt
        if before is not None and before.effective_at == event.effective_at:
            demand(
                entry, "the end of the halt", event.until, max(ends[event.effective_at], entry.since, window.still_from)
            )
            by = event.until - before.until
            if by >= 0:
                broken(entry, f"the halt ended at {before.until}")
        else:
            demand(entry, "the end of the halt", event.until, ends[event.effective_at])
            window.still_from = max(event.effective_at, entry.since)
            by = event.until - window.still_from
            if by <= 0 or window.still_from >= window.closes_at:
                broken(entry, f"the window ends at {window.closes_at}")
        window.halt = event
        window.move(by)
        demand(entry, "the end of the window", event.closes_at, window.closes_at)

    def _stage_opened(self, entry: Entry, event: CorroborationOpened | BallotOpened | CooldownOpened) -> None:
        book = self.book(entry)
        rules = book.procedure[event.stage]
        skipped = [stage.stage for stage in book.procedure[book.last_stage + 1 : event.stage]]
        if book.stage is not None or event.stage <= book.last_stage or (skipped and not _may_skip(book, skipped)):
            broken(entry, f"stage {event.stage} opens after {book.last_stage}, of {book.procedure}")
        demand(entry, "the kind of stage", event.wire, f"{rules.stage}.opened.v1")
        length = rules.length if rules.stage == "cooldown" else rules.window
        inclusive = rules.stage == "ballot" and rules.end_inclusive
        demand(entry, "the end of the window", event.closes_at, min(entry.since + length + inclusive, LAST))
        if isinstance(event, CooldownOpened):
            demand(entry, "the outcome that cools down", event.outcome, book.outcome)
        book.stage = book.last_stage = event.stage
        book.window = Window(event.closes_at, event.closes_early_at if isinstance(event, BallotOpened) else None)

    def _counts(self, entry: Entry, event: ReportCounted) -> None:
        book = self.book(entry)
        assert book.stage is not None
        rules = book.procedure[book.stage]
        assert isinstance(rules, Corroboration)
        counted = self._counted.setdefault((book.opened.case, book.stage), {})
        if event.producer in counted:
            broken(entry, f"{event.producer} counted before")
        counted[event.producer] = rules.weights.get(event.producer, rules.default_weight)
        demand(entry, "the weight", event.weight, counted[event.producer])
        demand(entry, "the sum of weights", event.weight_sum, sum(counted.values()))

    def _corroborated(self, entry: Entry, event: CorroborationClosed) -> None:
        book = self.book(entry)
        rules = book.procedure[event.stage]
        assert isinstance(rules, Corroboration)
        weight = sum(self._counted.get((book.opened.case, event.stage), {}).values())
        reached = weight >= rules.required_weight
        demand(entry, "the sum of weights", event.weight_sum, weight)
        demand(entry, "the outcome", event.outcome, "accept" if reached else rules.unmet)
        book.lapsed = not reached
        self._stage_closed(entry, event)

    def _stage_closed(self, entry: Entry, event: CorroborationClosed | BallotClosed) -> None:
        book = self.book(entry)
        demand(entry, "the open stage", book.stage, event.stage)
        book.outcome, book.stage = event.outcome, None
        if isinstance(event, BallotClosed):
            book.lapsed = False

    def _cooled(self, entry: Entry, event: CooldownClosed) -> None:
        book = self.book(entry)
        demand(entry, "the open stage", book.stage, event.stage)
        book.stage = None

    def _ruled(self, entry: Entry, event: CaseRuled) -> None:
        """A ruling comes once, says what the last stage said, and nothing comes after it."""
        book = self.book(entry)
        rest = [stage.stage for stage in book.procedure[book.last_stage + 1 :]]
        if book.stage is not None or (rest and not _may_skip(book, rest)):
            broken(entry, f"stages {rest} are left")
        demand(entry, "the ruling", event.outcome, book.outcome)
        demand(entry, "the amount", event.amount_minor, book.amount_minor)
        book.over = True

    def at_the_end(self) -> None:
        """Nothing stays open for ever."""
        still_open = [name for name, book in self.books.items() if not book.over]
        if still_open:
            raise LawBroken(f"cases {still_open} are open")


def _may_skip(book: CaseBook, skipped: Sequence[str]) -> bool:
    """Only a pause is skipped, and only when there is nothing that could be undone in it."""
    return book.lapsed and set(skipped) == {"cooldown"}
