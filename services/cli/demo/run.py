"""Runs the story on the embedded log: posts what is due, lets everything settle, and shows what outsiders see."""

from pathlib import Path

from schemas.claims import ClaimPaid, CoverRegistered
from schemas.envelope import Outgoing
from schemas.ids import parent
from services.cli.demo.cast import SPACE, START, incarnation, key
from services.cli.demo.scene import Balance, Posted, Show
from services.cli.demo.seen import Seen
from services.cli.demo.step import Post, Step, Unreadable
from services.cli.demo.story import story
from services.cli.demo.treasury import Treasury
from services.cli.demo.words import Content
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.export import write_export
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import space_json
from services.kernel.sqlite_store import SqliteStore
from services.kernel.wire import input_record
from services.registry import TOPIC_NAMES, new_space

_PARTITIONS = 2


class Demonstration:
    """A new space on a virtual clock, with the story's outsiders around it."""

    def __init__(self, log: Path, show: Show) -> None:
        self.space = new_space(SPACE, _PARTITIONS, key("root").public_key().public_bytes_raw().hex())
        self.clock = VirtualClock(START)
        self.store = SqliteStore.create(
            log, SPACE, TOPIC_NAMES, _PARTITIONS, self.clock, incarnation, space_json(self.space)
        )
        self.embedded = Embedded(self.space, self.store)
        self.seen = Seen()
        self._show = show
        self._steps = story()
        self._treasury = Treasury()
        self._unanswered: list[Posted] = []
        self._told = 0
        self._obeyed = 0

    async def play(self, export: Path) -> None:
        """Go from instant to instant until nothing is left to do, for anybody; then export everything."""
        while True:
            due = await self._settle()
            planned = [(when, step) for step in self._steps if (when := step.when(self.seen)) is not None]
            instants = [when for when, _ in planned] + ([] if due is None else [due])
            if not instants:
                break
            self.clock.advance_to(min(instants))
            for step in [step for when, step in planned if when <= self.clock.now()]:
                self._steps.remove(step)
                await self._post(step)
        assert not self._steps, f"never due: {[step.posts[0].id for step in self._steps]}"
        assert not self._unanswered, f"without an outcome: {[posted.post.id for posted in self._unanswered]}"
        with export.open("wb") as file:
            await write_export(self.space, TOPIC_NAMES, self.store, file)

    def balances(self) -> list[Balance]:
        """Add up what the logs say of each cover."""
        events = [happened.event for happened in self.seen.happened]
        covers = [event for event in events if isinstance(event, CoverRegistered)]
        paid = [event for event in events if isinstance(event, ClaimPaid)]
        return [
            Balance(
                cover.cover,
                cover.holder,
                cover.amount_minor,
                sum(event.amount_minor for event in paid if parent(event.claim) == cover.cover),
            )
            for cover in sorted(covers, key=lambda cover: cover.cover)
        ]

    async def _post(self, step: Step) -> None:
        contents = [(post, post.content(self.seen)) for post in step.posts]
        positions = await self.embedded.put([self._record(post, content, step.who) for post, content in contents])
        inputs = [
            Posted(self.clock.now(), step, number, post, content, str(position))
            for number, ((post, content), position) in enumerate(zip(contents, positions, strict=True))
        ]
        self._show.posted(inputs)
        self._unanswered += inputs
        await self._settle()

    def _record(self, post: Post, content: Content, who: str) -> Outgoing:
        """Make the record that the sender's client library would make."""
        to_key = content.key if isinstance(content, Unreadable) else content.key()
        record = input_record(
            post.stream,
            partition_of(to_key, self.space.partitions),
            to_key,
            id=post.id,
            source=f"/{who}",
            wire=content.wire,
            value=content.value if isinstance(content, Unreadable) else content.to_bytes(),
        )
        return record if post.principal is None else vouch(key(post.principal), post.principal, SPACE, [record])[0]

    async def _settle(self) -> int | None:
        """Run until nothing moves at this instant, and show what became of it.

        Reading after each round puts causes before what they cause.
        """
        moved, held, due = True, False, None
        while moved or held:
            moved, held, due = await self.embedded.round()
            if self.embedded.stopped:
                raise self.embedded.stopped[0]
            await self.seen.read(self.store, self.space.partitions)
        self._tell()
        return due

    def _tell(self) -> None:
        """Show what is new: answers first, each with the events it is about, then what follows from them."""
        news = self.seen.happened[self._told :]
        self._told += len(news)
        answered = [posted for posted in self._unanswered if posted.position in self.seen.outcomes]
        self._unanswered = [posted for posted in self._unanswered if posted not in answered]
        for posted in answered:
            caused = [happened for happened in news if happened.input == posted.position]
            self._show.answered(posted, self.seen.outcomes[posted.position], caused)
        positions = {posted.position for posted in answered}
        for happened in news:
            if happened.input not in positions:
                self._show.happened(happened)
        for instructed in self.seen.instructed[self._obeyed :]:
            self._show.instructed(instructed)
            self._steps += self._treasury.answer(instructed)
        self._obeyed = len(self.seen.instructed)
