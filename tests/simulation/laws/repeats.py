"""Law 1 of product.md section 13, as a sender sees it: what is said twice has one effect, and one answer."""

from typing import NamedTuple

from schemas.envelope import Position
from schemas.topics import INPUTS
from services.kernel.records import InputsPassed, PassedInput, Refused, SetAside
from services.kernel.space import DUPLICATE_WINDOW
from services.kernel.wire import content_digest
from tests.simulation.entries import Entry
from tests.simulation.laws.law import broken
from tests.simulation.world import World

_PUBLIC = {topic.name for topic in INPUTS}
_Name = tuple[str, str, str, str]


class _Said(NamedTuple):
    position: Position
    content: str
    at: int


class Repeats:
    """Remembers what every id was used for: within its stream, key and proven sender, for the window of duplicates."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._said: dict[_Name, _Said] = {}
        self._used: set[Position] = set()
        self._before: Position | None = None

    def entry(self, entry: Entry) -> None:
        """Look at the fates that a log record gives."""
        if isinstance(entry.content, InputsPassed):
            for topic_range in entry.content.ranges:
                for passed in topic_range.inputs:
                    place = Position(topic_range.topic, topic_range.incarnation, entry.partition, passed.offset)
                    self._passed(entry, place, passed)
        elif entry.input is not None and entry.input != self._before:
            self._decided(entry, entry.input)
        self._before = entry.input

    def _decided(self, entry: Entry, position: Position) -> None:
        sender, stream = entry.headers.get("ce_sender"), entry.headers.get("ce_stream", position.topic)
        if sender is None or stream not in _PUBLIC or isinstance(entry.content, SetAside):
            return
        key = entry.headers.get("ce_inputkey", entry.key)
        name = (stream, key, sender, entry.headers["ce_causationid"])
        refused = entry.content if isinstance(entry.content, Refused) else None
        reused = refused is not None and refused.rule == "input.id-reused"
        before = self._known(name, entry.at)
        if before is not None and before.content == self._content(position):
            broken(entry, f"a repeat of {before.position} is decided again")
        if (before is not None) != reused:
            broken(entry, f"the id {name} was used before: {before}")
        if not reused and not (refused is not None and refused.unknown):
            self._remember(name, position, entry.at)

    def _passed(self, entry: Entry, position: Position, passed: PassedInput) -> None:
        if passed.fate == "duplicate":
            earlier = Position.parse(passed.of or "")
            if earlier not in self._used or self._content(position) != self._content(earlier):
                broken(entry, f"{position} is no repeat of {earlier}")
        elif passed.fate == "no-effect":
            name = (passed.stream or position.topic, passed.key or "", passed.sender or "", passed.id or "")
            self._remember(name, position, passed.at)

    def _remember(self, name: _Name, position: Position, at: int) -> None:
        self._said[name] = _Said(position, self._content(position), at)
        self._used.add(position)

    def _known(self, name: _Name, at: int) -> _Said | None:
        said = self._said.get(name)
        return said if said is not None and at - said.at <= DUPLICATE_WINDOW else None

    def _content(self, position: Position) -> str:
        record = self.world.records[position.topic, position.partition][position.offset]
        return content_digest(dict(record.headers)["ce_type"].decode(), record.value or b"")
