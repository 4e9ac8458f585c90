"""All that the logs hold, as one history: every event with its cause, and what an id names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.adjudication import CaseOpened
from schemas.assessors import AssessorRegistered
from schemas.claims import ClaimFiled, CoverRegistered
from schemas.envelope import Message, Record
from schemas.governance import GroupSet, ProductListed, RulebookPublished
from schemas.ids import assessor_key, case_key, cover_key, parent, payout_key, pool_key, product_key, scope_key
from schemas.incidents import IncidentOpened
from schemas.instants import parse_instant
from schemas.payouts import PayoutInstructed
from schemas.pools import CoverSold, PoolOpened
from schemas.principals import PrincipalRegistered
from schemas.rulebook import Rulebook, Stage
from services.cli.trace import Tracer, content_of, headers_of
from services.kernel.records import FactNoted, InputsPassed, ReleaseStarted, TopicStarted
from services.kernel.verify import where_is

_KERNEL = (FactNoted, InputsPassed, ReleaseStarted, TopicStarted)
"""Records of the kernel's own that say nothing about one id."""


class Item(NamedTuple):
    """One event: when it counts, on which aggregate, where it stands, and what caused it.

    `cause` is the id of the input that was decided: somebody's, or a sibling's message.
    """

    id: str
    at: int
    key: str
    input_key: str
    service: str
    position: str
    input: str
    cause: str
    sender: str
    event: Message


class Named(NamedTuple):
    """What an id names: a kind of thing, its id, and the aggregate on which it is decided; none decides an account."""

    kind: str
    id: str
    key: str


def _of(name: str) -> Callable[[Message], str]:
    def field(event: Message) -> str:
        value: str = getattr(event, name)
        return value

    return field


_KINDS: tuple[tuple[str, tuple[type[Message], ...], Callable[[Message], str], Callable[[str], str]], ...] = (
    ("claim", (ClaimFiled,), _of("claim"), lambda name: cover_key(parent(name))),
    ("cover", (CoverRegistered, CoverSold), _of("cover"), cover_key),
    ("incident", (IncidentOpened,), _of("incident"), lambda name: product_key(parent(name))),
    ("case", (CaseOpened,), _of("case"), case_key),
    ("payout", (PayoutInstructed,), _of("payout"), payout_key),
    ("pool", (PoolOpened,), _of("pool"), pool_key),
    ("assessor", (AssessorRegistered,), _of("assessor"), assessor_key),
    ("product", (ProductListed,), _of("product"), lambda _: scope_key("main")),
    ("rulebook", (RulebookPublished,), lambda event: _rulebook(event).id, lambda _: scope_key("main")),
    ("principal", (PrincipalRegistered,), _of("principal"), lambda _: scope_key("main")),
    ("group", (GroupSet,), _of("group"), lambda _: scope_key("main")),
)
"""Kinds of things, the events that make one, where these have its id, and the aggregate that decides about it."""
_ACCOUNTS = ("holder", "claimant", "provider", "recipient")
"""Fields in which an event names an account that does something or gets something."""


def _rulebook(event: Message) -> Rulebook:
    assert isinstance(event, RulebookPublished)
    return event.rulebook


def accounts_of(event: Message) -> set[str]:
    """Return the accounts that do something or get something in an event."""
    return {held for name in _ACCOUNTS if isinstance(held := getattr(event, name, None), str)}


class History:
    """Every event of a space, in the order of time, causes before what they cause."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.rulebooks = {
            item.event.rulebook.id: item.event.rulebook for item in items if isinstance(item.event, RulebookPublished)
        }
        self._named: dict[tuple[str, str], Named] = {}
        for item in items:
            for kind, events, of, key_of in _KINDS:
                if isinstance(item.event, events):
                    name = of(item.event)
                    self._named.setdefault((kind, name), Named(kind, name, key_of(name)))
            for name in accounts_of(item.event):
                self._named.setdefault(("account", name), Named("account", name, ""))

    def named(self, what: str) -> list[Named]:
        """List what an id names, also where it is spelled with its kind before it (`claim/c-1/1`, `pool/harbor`)."""
        kinds = (*(kind for kind, *_ in _KINDS), "account")
        found = [named for kind in kinds if (named := self._named.get((kind, what))) is not None]
        kind, _, name = what.partition("/")
        spelled = self._named.get((kind, name))
        return [*found, *((spelled,) if spelled is not None else ())]

    def on(self, key: str) -> list[Item]:
        """List the events on an aggregate."""
        return [item for item in self.items if item.key == key]

    def about(self, field: str, name: str) -> list[Item]:
        """List the events of which a field names something."""
        return [item for item in self.items if getattr(item.event, field, None) == name]

    def stage(self, case: str, place: int) -> Stage | None:
        """Return a stage of a case's procedure."""
        opened = next((item.event for item in self.on(case_key(case)) if isinstance(item.event, CaseOpened)), None)
        rulebook = self.rulebooks.get(opened.rulebook) if opened is not None else None
        if opened is None or rulebook is None:
            return None
        procedure = rulebook.incident.procedure if opened.subject == "incident" else rulebook.claim.procedure
        return procedure[place] if place < len(procedure) else None


async def read_history(tracer: Tracer) -> History:
    """Read the logs from their beginning: there is no other index here."""
    items = [item for group in await tracer.groups() for item in _items(group)]
    return History(_causes_first(items, await tracer.sent_by()))


def _causes_first(items: Sequence[Item], sent_by: Mapping[str, str]) -> list[Item]:
    """Order events by instant, those of a log as they stand there, and causes before what they cause.

    Args:
        items: Events, those of each log partition in its order.
        sent_by: For each message between services its id, and the id of the event that sent it.
    """
    by_id = {item.id: item for item in items}
    before: dict[str, Item] = {}
    last: dict[str, Item] = {}
    for item in items:
        log = item.position.rpartition("/")[0]
        if log in last:
            before[item.id] = last[log]
        last[log] = item
    ordered: dict[str, Item] = {}
    for item in sorted(items, key=lambda item: item.at):
        path = [item]
        while path:
            causes = (before.get(path[-1].id), by_id.get(sent_by.get(path[-1].cause, "")))
            missing = [cause for cause in causes if cause is not None and cause.id not in ordered]
            if missing:
                path += missing
            else:
                here = path.pop()
                ordered.setdefault(here.id, here)
    return list(ordered.values())


def _items(group: Sequence[Record]) -> Iterator[Item]:
    for record in group:
        event, headers = content_of(record), headers_of(record)
        if event is None or isinstance(event, _KERNEL):
            continue
        key = (record.key or b"").decode(errors="replace")
        yield Item(
            headers["ce_id"],
            parse_instant(headers["ce_time"]),
            key,
            headers.get("ce_inputkey", key),
            record.topic.partition(".")[0],
            where_is(record),
            headers.get("ce_input", ""),
            headers.get("ce_causationid", ""),
            headers.get("ce_sender", ""),
            event,
        )
