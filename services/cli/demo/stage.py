"""Where a story is played: a space, and a time that passes. On the embedded log that is a virtual clock."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from schemas.envelope import Outgoing, Position
from services.cli.demo.calendar import Calendar
from services.cli.demo.cast import SPACE, START, incarnation, key
from services.cli.demo.seen import Seen
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.export import write_export
from services.kernel.space import Space, space_json
from services.kernel.sqlite_store import SqliteStore
from services.registry import TOPIC_NAMES, new_space

PARTITIONS = 2


def root_key() -> str:
    """Return the public key of governance's root."""
    return key("root").public_key().public_bytes_raw().hex()


class Stage(Protocol):
    """What a story needs of where it is played."""

    space: Space
    calendar: Calendar

    def now(self) -> int:
        """Return the instant: what is posted now is stamped with it, or with a later one."""

    async def put(self, records: Sequence[Outgoing]) -> list[Position]:
        """Post public inputs; durable when it returns."""

    async def read(self, seen: Seen) -> bool:
        """Read what has happened, and tell whether everything that was posted, and what that led to, is decided."""

    async def wait(self, until: int | None) -> None:
        """Let time pass: not beyond an instant, nor beyond what happens by itself before it."""


class EmbeddedStage:
    """A space on an embedded log, on a virtual clock."""

    def __init__(self, log: Path) -> None:
        self.space = new_space(SPACE, PARTITIONS, root_key())
        self.calendar = Calendar(START)
        self._clock = VirtualClock(START)
        self.store = SqliteStore.create(
            log, SPACE, TOPIC_NAMES, PARTITIONS, self._clock, incarnation, space_json(self.space)
        )
        self._embedded = Embedded(self.space, self.store)
        self._due: int | None = None

    def now(self) -> int:
        """Return the instant, which stands still."""
        return self._clock.now()

    async def put(self, records: Sequence[Outgoing]) -> list[Position]:
        """Post public inputs."""
        return await self._embedded.put(records)

    async def read(self, seen: Seen) -> bool:
        """Run until nothing moves at this instant; reading after each round puts causes before what they cause."""
        moved, held = True, False
        while moved or held:
            moved, held, self._due = await self._embedded.round()
            if self._embedded.stopped:
                raise self._embedded.stopped[0]
            await seen.read(self.store)
        return True

    async def wait(self, until: int | None) -> None:
        """Go to an instant, or to what falls due before it."""
        instants = [instant for instant in (until, self._due) if instant is not None]
        assert instants, "the story waits for something that will never happen"
        self._clock.advance_to(min(instants))

    async def export(self, file: IO[bytes]) -> None:
        """Export everything."""
        await write_export(self.space, TOPIC_NAMES, self.store, file)

    def close(self) -> None:
        """Close the log."""
        self.store.close()
