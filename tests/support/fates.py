"""What became of every input, as a log tells it: by the records that name an input, and by ranges of passed ones."""

from collections.abc import Sequence

from schemas.envelope import Position
from services.kernel.records import InputsPassed

from .harness import Entry


def fates(log: Sequence[Entry]) -> list[tuple[str, int, str]]:
    """List topic, offset and fate of every input that one log partition names; one per fate, so that two show."""
    told: list[tuple[str, int, str]] = []
    before = ""
    for entry in log:
        if isinstance(entry.content, InputsPassed):
            told += [
                (passed_range.topic, passed.offset, passed.fate)
                for passed_range in entry.content.ranges
                for passed in passed_range.inputs
            ]
        position = entry.headers.get("ce_input", "deadline/")
        if not position.startswith("deadline/") and position != before:
            place = Position.parse(position)
            told.append((place.topic, place.offset, entry.type))
        before = position
    return told
