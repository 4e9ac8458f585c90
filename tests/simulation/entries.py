"""Log records, read once for everybody who looks at them."""

from functools import lru_cache
from typing import NamedTuple

from schemas.envelope import Message, Position, Record, decode
from schemas.instants import parse_instant


class Entry(NamedTuple):
    """A log record: where it stands, what it says, and why.

    `input` is the position of the input that caused it, `deadline` the name and due time of the deadline that did; the
    kernel's own records have neither.
    """

    log: str
    partition: int
    offset: int
    key: str
    sequence: int
    content: Message
    at: int
    since: int
    headers: dict[str, str]
    input: Position | None
    deadline: tuple[str, int] | None

    @property
    def place(self) -> str:
        """Spell where it stands, as outcomes do."""
        return f"{self.log}/{self.partition}/{self.offset}"


@lru_cache(maxsize=20_000)
def read_entry(record: Record) -> Entry:
    """Read a log record; whoever reads it again gets the same."""
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key is not None
    assert record.value is not None
    cause, at = headers.get("ce_input"), parse_instant(headers["ce_time"])
    position = deadline = None
    if cause is not None and cause.startswith("deadline/"):
        name, _, due = cause.removeprefix("deadline/").rpartition("/")
        deadline = (name, parse_instant(due))
    elif cause is not None:
        position = Position.parse(cause)
    return Entry(
        record.topic,
        record.partition,
        record.offset,
        record.key.decode(),
        int(headers["ce_sequence"]),
        decode(headers["ce_type"], record.value),
        at,
        parse_instant(headers["ce_since"]) if "ce_since" in headers else at,
        headers,
        position,
        deadline,
    )
