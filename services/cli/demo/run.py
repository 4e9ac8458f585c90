"""Plays the story on a stage: posts what is due, lets everything settle, and shows what outsiders see."""

from typing import get_args

from schemas.claims import ClaimPaid, CoverRegistered
from schemas.envelope import Outgoing
from schemas.ids import parent
from schemas.pools import Account
from services.cli.demo.cast import key
from services.cli.demo.scene import Balance, Posted, Show
from services.cli.demo.seen import Happened, Instructed, Seen
from services.cli.demo.stage import Stage
from services.cli.demo.step import Post, Step, Unreadable
from services.cli.demo.story import story
from services.cli.demo.treasury import Treasury
from services.cli.demo.words import Content
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.wire import input_record


class OffScriptError(RuntimeError):
    """The story cannot go on: something came out otherwise, because somebody was late, say."""


class Demonstration:
    """The story's outsiders around a new space. `late_ms` is by how much the latest of them was late."""

    def __init__(self, stage: Stage, show: Show) -> None:
        self.seen = Seen(stage.calendar, stage.space.partitions)
        self.late_ms = 0
        self._stage = stage
        self._show = show
        self._steps = story()
        self._treasury = Treasury()
        self._untold: list[list[Posted]] = []
        self._news: list[Happened] = []
        self._instructed: list[Instructed] = []
        self._heard = 0
        self._obeyed = 0

    async def play(self) -> None:
        """Go on until everybody has done what they do, and every claim has ended; raises OffScriptError.

        Everybody acts on what they have read, and waits for nothing else: whoever is late keeps nobody waiting.
        """
        while True:
            quiet = await self._stage.read(self.seen)
            self._obey()
            self._tell()
            planned = [(when, step) for step in self._steps if (when := step.when(self.seen)) is not None]
            if quiet and not planned and not self.seen.open_ends:
                break
            planned.sort(key=lambda one: one[0])
            now = self._stage.now()
            due = [(when, step) for when, step in planned if when <= now]
            for when, step in due:
                self.late_ms = max(self.late_ms, now - when)
                self._steps.remove(step)
                await self._post(step)
            if not due:
                await self._stage.wait(planned[0][0] if planned else None)
        if self._steps:
            raise OffScriptError(", ".join(step.posts[0].id for step in self._steps))
        assert not self._untold, f"without an outcome: {[inputs[0].post.id for inputs in self._untold]}"

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

    def books(self) -> dict[str, int]:
        """Sum up all postings of the pool by account: debits positive, credits negative, base units."""
        accounts: dict[str, int] = {}
        for event in (happened.event for happened in self.seen.happened):
            for posting in getattr(event, "postings", ()):
                accounts[posting.account] = accounts.get(posting.account, 0) + int(posting.amount_minor)
        return {account: accounts[account] for account in get_args(Account) if account in accounts}

    async def _post(self, step: Step) -> None:
        contents = [(post, post.content(self.seen)) for post in step.posts]
        at = self._stage.now()
        positions = await self._stage.put([self._record(post, content, step.who) for post, content in contents])
        inputs = [
            Posted(at, step, number, post, content, str(position))
            for number, ((post, content), position) in enumerate(zip(contents, positions, strict=True))
        ]
        self._untold.append(inputs)

    def _record(self, post: Post, content: Content, who: str) -> Outgoing:
        """Make the record that the sender's client library would make."""
        space = self._stage.space
        to_key = content.key if isinstance(content, Unreadable) else content.key()
        record = input_record(
            post.stream,
            partition_of(to_key, space.partitions),
            to_key,
            id=post.id,
            source=f"/{who}",
            wire=content.wire,
            value=content.value if isinstance(content, Unreadable) else content.to_bytes(),
        )
        return record if post.principal is None else vouch(key(post.principal), post.principal, space.name, [record])[0]

    def _obey(self) -> None:
        """Let the treasury read its instructions."""
        for instructed in self.seen.instructed[self._obeyed :]:
            self._instructed.append(instructed)
            self._steps += self._treasury.answer(instructed)
        self._obeyed = len(self.seen.instructed)

    # --- showing

    def _tell(self) -> None:
        """Show what is new: inputs once they are answered, each with the events its answer is about, and the rest."""
        self._news += self.seen.happened[self._heard :]
        self._heard = len(self.seen.happened)
        # Logs are read one after the other: what was written first was the cause.
        self._news.sort(key=lambda happened: happened.written_at)
        while self._untold and all(posted.position in self.seen.outcomes for posted in self._untold[0]):
            self._tell_events(self._untold[0][0].at)
            inputs = self._untold.pop(0)
            self._show.posted(inputs)
            for posted in inputs:
                caused = [happened for happened in self._news if happened.input == posted.position]
                self._news = [happened for happened in self._news if happened not in caused]
                self._show.answered(posted, self.seen.outcomes[posted.position], caused)
        self._tell_events()
        if not self._news:
            for instructed in self._instructed:
                self._show.instructed(instructed)
            self._instructed.clear()

    def _tell_events(self, before: int | None = None) -> None:
        """Show events, up to an instant, or to one that comes with the answer to an input."""
        untold = {posted.position for inputs in self._untold for posted in inputs}
        while self._news:
            first = self._news[0]
            if first.input in untold or (before is not None and first.written_at >= before):
                return
            self._show.happened(self._news.pop(0))
