"""A trace of a run, for people: one line for everything that happens, 100 columns wide."""

from collections.abc import Callable

from schemas.envelope import Outgoing, Record
from services.kernel.clock import VirtualClock
from tests.simulation.entries import read_entry
from tests.simulation.world import START

_COLUMNS = 100


class Trace:
    """Tells who does what, and when, in seconds of true time since the run began."""

    def __init__(self, write: Callable[[str], None], clock: VirtualClock) -> None:
        self._write = write
        self._clock = clock

    def __call__(self, who: str, what: str) -> None:
        """Tell one thing; what does not fit is cut."""
        line = f"{(self._clock.now() - START) / 1_000:12.3f}  {who:<17} {what}"
        self._write(line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 1]}…")

    def said(self, records: list[Outgoing]) -> None:
        """Tell what somebody outside wrote."""
        for record in records:
            headers = dict(record.headers)
            name = headers.get("ce_type", b"no type").decode(errors="replace")
            identifier = headers.get("ce_id", b"no id").decode(errors="replace")
            self("outside", f"{identifier} {name} to {record.topic}/{record.partition}")
            self("", _shown(record.value))

    def committed(self, records: list[Record]) -> None:
        """Tell what is in a log now."""
        for record in records:
            entry = read_entry(record)
            cause = entry.input or (entry.deadline and f"deadline {entry.deadline[0]}") or "the kernel"
            self("log", f"{entry.place} {entry.key} {entry.content.wire} by {cause}")
            self("", _shown(record.value))


def _shown(value: bytes | None) -> str:
    return "no value" if value is None else value[:_COLUMNS].decode(errors="replace")
