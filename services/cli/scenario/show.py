"""Showing a run: a timeline for people, or a line of JSON for each thing that happens."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from schemas.claims import CoverRegistered
from schemas.instants import format_duration, format_instant
from schemas.outcomes import InputOutcome
from schemas.pools import CoverSold
from services.cli.console import Console, wrapped
from services.cli.scenario.compare import Difference, Missing
from services.cli.scenario.names import Names
from services.cli.scenario.seen import Happened

if TYPE_CHECKING:
    from services.cli.scenario.model import Scenario
    from services.cli.scenario.run import Failure, Posted, Result

_TIME, _WHO, _LABEL = 12, 14, 10
_COLUMNS = 100
_LIST_MAX = 4
_SKIPPED = ("next", "arithmetic", "postings", "payout_terms", "terms", "rulebook_sha256", "evidence")
"""What a timeline leaves to `--json`: it would hide the rest."""


class Show(Protocol):
    """Shows a run while it goes on."""

    def begins(self, path: Path, scenario: "Scenario", names: Names) -> None:
        """Say which scenario this is."""

    def given(self, happened: Sequence[Happened]) -> None:
        """What is there at the start."""

    def starts(self) -> None:
        """The timeline begins."""

    def answered(
        self, posted: "Posted", outcome: InputOutcome, caused: Sequence[Happened], failure: "Failure | None"
    ) -> None:
        """Somebody posted an input, and this became of it."""

    def happened(self, happened: Sequence[Happened]) -> None:
        """Events that follow from others, or fell due."""

    def expected(self, at: int, what: str, content: Any, failure: "Failure | None", note: str) -> None:  # noqa: ANN401
        """Something was expected, and is so, or is not."""

    def ends(self, result: "Result") -> None:
        """The scenario is over."""


class Timeline:
    """A timeline for people: time since the start, who, what; names instead of accounts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._names = Names(0, ())
        self._at: int | None = None
        self._first = True

    def begins(self, path: Path, scenario: "Scenario", names: Names) -> None:
        """Print title and what it is about."""
        self._names, self._at = names, None
        self._put(*(() if self._first else ("",)), *wrapped("", scenario.title), f"  {path}", "-" * _COLUMNS)
        self._first = False
        if scenario.about:
            self._put(*wrapped("", " ".join(scenario.about.split())))

    def given(self, happened: Sequence[Happened]) -> None:
        """Print how much is given, and the covers."""
        counts: dict[str, int] = {}
        for one in happened:
            counts[one.event.wire] = counts.get(one.event.wire, 0) + 1
        words = {
            "principal.registered.v1": "principal",
            "assessor.registered.v1": "assessor",
            "pool.opened.v1": "pool",
            "capital.deposited.v1": "deposit",
            "product.listed.v1": "product",
        }
        found = [(counts[wire], word) for wire, word in words.items() if wire in counts]
        text = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in found)
        self._row("given", "", text)
        for one in happened:
            event = one.event
            if isinstance(event, CoverRegistered) and event.pool is None:
                self._row("", event.cover, self._cover(event, ""))
            elif isinstance(event, CoverSold):
                self._row("", event.cover, self._cover(event, f", for a premium of {event.premium_minor:,}"))

    def _cover(self, cover: CoverRegistered | CoverSold, more: str) -> str:
        begins = self._names.offset(cover.starts_at)
        lasts = format_duration(cover.expires_at - cover.starts_at)
        holder = self._names.plain(cover.holder)
        return f"{holder}'s cover of {cover.product}: {cover.amount_minor:,} from {begins} for {lasts}{more}"

    def starts(self) -> None:
        """Print that the timeline begins."""
        self._put("")

    def answered(
        self, posted: "Posted", outcome: InputOutcome, caused: Sequence[Happened], failure: "Failure | None"
    ) -> None:
        """Print who posted what, and what became of it."""
        self._note(posted.at, posted.note)
        content = posted.content if isinstance(posted.content, str) else spelled(posted.content, ())
        self._row(self._clock(posted.at), posted.who, f"{posted.wire.partition('.v')[0]}: {content}")
        service = outcome.log_position.partition(".")[0]
        refusal = outcome.refusal
        if refusal is not None:
            self._labelled(service, "refused", refusal.rule)
            self._labelled("", "value", refusal.value)
            self._labelled("", "accepted", refusal.accepted)
            if refusal.not_before is not None:
                self._labelled("", "from", self._names.offset(refusal.not_before))
        elif outcome.fate != "decided":
            self._labelled(service, outcome.fate, outcome.reason or (f"of {outcome.of}" if outcome.of else ""))
        self.happened(caused)
        if outcome.next is not None:
            due = "" if outcome.next.due_at is None else f"; by {self._names.offset(outcome.next.due_at)}"
            self._labelled("", "next", f"{outcome.next.step}{due}")
        self._failed(failure)

    def happened(self, happened: Sequence[Happened]) -> None:
        """Print events."""
        for one in happened:
            text = spelled(one.content(), _SKIPPED)
            self._row(self._clock(one.at), one.service, f"{one.event.wire.partition('.v')[0]}: {text}")

    def expected(self, at: int, what: str, content: Any, failure: "Failure | None", note: str) -> None:  # noqa: ANN401
        """Print that something is as expected, or how it differs."""
        self._note(at, note)
        text = f"{what}: {spelled(content, ())}" if content else what
        self._row(self._clock(at), "expected", text if failure is None else f"{text} – FAILED")
        self._failed(failure, titled=True)

    def ends(self, result: "Result") -> None:
        """Print how many expectations were met."""
        met = result.expectations - len(result.failures)
        self._put("", f"{met} of {result.expectations} expectations met; log hash {result.log_hash}")
        for failure in result.failures:
            self._put(
                *wrapped(
                    "FAILED  ", f"{failure.path} at {self._names.offset(failure.at)}: {self._names.plain(failure.what)}"
                )
            )
            self._put(*difference_lines(failure.differences, self._names))

    # --- rows

    def _failed(self, failure: "Failure | None", *, titled: bool = False) -> None:
        if failure is not None:
            if not titled:
                self._labelled("", "FAILED", failure.path)
            self._put(*difference_lines(failure.differences, self._names))

    def _note(self, at: int, note: str) -> None:
        if note:
            self._row(self._clock(at), "", note)

    def _clock(self, at: int) -> str:
        """Spell the time where it changes, after an empty line."""
        if at == self._at:
            return ""
        if self._at is not None:
            self._put("")
        self._at = at
        return self._names.offset(at)

    def _labelled(self, who: str, label: str, text: str) -> None:
        self._row("", who, f"{label:<{_LABEL}}{self._names.plain(text)}")

    def _row(self, clock: str, who: str, text: str) -> None:
        self._put(*wrapped(f"{clock:<{_TIME}}{who:<{_WHO}}"[: _TIME + _WHO + 60], self._names.plain(text)))

    def _put(self, *lines: str) -> None:
        self._console.put({}, *lines)


def difference_lines(found: Sequence[Difference], names: Names) -> list[str]:
    """Lay out differences, expected above actual, so that the eye finds where they part."""
    lines = []
    for path, expected, actual in found:
        lines += wrapped(f"  {path or '(answer)'}  expected  ", names.plain(_json(expected)))
        lines += wrapped(f"  {'':<{len(path or '(answer)')}}  is        ", names.plain(_json(actual)))
    return lines


def _json(value: Any) -> str:  # noqa: ANN401
    return repr(value) if isinstance(value, Missing) else orjson.dumps(value).decode()


def spelled(content: Any, skipped: Sequence[str]) -> str:  # noqa: ANN401 - JSON
    """Spell content for people: names and values, without what says nothing."""
    match content:
        case dict():
            held = [(name, value) for name, value in content.items() if value not in (None, "", [], {})]
            parts = [f"{name} {_inner(value)}" for name, value in held if name not in skipped]
            return ", ".join(parts)
        case list():
            if len(content) > 1 and all(isinstance(held, dict) for held in content):
                return f"{len(content)} of them"
            rest = f", … {len(content) - _LIST_MAX} more" if len(content) > _LIST_MAX else ""
            return ", ".join(map(_inner, content[:_LIST_MAX])) + rest
        case str():
            return content
        case _:
            return orjson.dumps(content).decode()


def _inner(value: Any) -> str:  # noqa: ANN401
    return f"({spelled(value, ())})" if isinstance(value, (dict, list)) else spelled(value, ())


class Lines:
    """A line of JSON for each thing that happens; `at` is an instant of the virtual clock."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._path = ""

    def begins(self, path: Path, scenario: "Scenario", names: Names) -> None:
        """Say which scenario this is, and who its accounts are."""
        self._path = str(path)
        people = {name: names.fill(f"{{{name}}}") for name in names.people}
        self._put("scenario", title=scenario.title, start=format_instant(scenario.start), accounts=people)

    def given(self, happened: Sequence[Happened]) -> None:
        """Put the events of what is given."""
        self.happened(happened)

    def starts(self) -> None:
        """Put nothing: instants say it."""

    def answered(
        self, posted: "Posted", outcome: InputOutcome, caused: Sequence[Happened], failure: "Failure | None"
    ) -> None:
        """Put an input and what became of it."""
        at = format_instant(posted.at)
        self._put(
            "input", at=at, path=posted.path, id=posted.id, wire=posted.wire, who=posted.who, content=posted.content
        )
        self._put("outcome", at=at, outcome=orjson.Fragment(outcome.to_bytes()))
        self.happened(caused)
        self._failed(failure)

    def happened(self, happened: Sequence[Happened]) -> None:
        """Put events."""
        for one in happened:
            self._put(
                "event",
                at=format_instant(one.at),
                wire=one.event.wire,
                key=one.key,
                position=one.position,
                content=orjson.Fragment(one.event.to_bytes()),
            )

    def expected(self, at: int, what: str, content: Any, failure: "Failure | None", note: str) -> None:  # noqa: ANN401
        """Put what was expected and is so, or how it differs."""
        if failure is None:
            self._put("met", at=format_instant(at), what=what, expected=content)
        self._failed(failure)

    def ends(self, result: "Result") -> None:
        """Put how many expectations were met."""
        self._put("end", expectations=result.expectations, failed=len(result.failures), log_hash=result.log_hash)

    def _failed(self, failure: "Failure | None") -> None:
        if failure is not None:
            found = [
                {"path": path, "expected": expected, "actual": None if isinstance(actual, Missing) else actual}
                for path, expected, actual in failure.differences
            ]
            at = format_instant(failure.at)
            self._put("failed", at=at, path=failure.path, what=failure.what, differences=found)

    def _put(self, kind: str, **content: Any) -> None:  # noqa: ANN401 - JSON
        self._console.put({"file": self._path, "kind": kind, **content})
