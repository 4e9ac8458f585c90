"""Halts: two persons stop a product for a bounded time (anchors.md section 6, row Guardian).

A person is root, or a registered principal in the group that the product's rulebook names. Who was taken out of the
group, or whose key was revoked, counts no more, even for a halt it asked for before.
"""

from dataclasses import dataclass, field, replace

from schemas.envelope import Event
from schemas.governance import HaltProduct, HaltRequested, OpenProduct, ProductHalted, ProductOpened
from schemas.instants import SECOND, format_duration, format_instant
from schemas.outcomes import NextStep
from schemas.rulebook import HaltRules
from schemas.topics import OWNED
from services.kernel.decider import Received, Refused
from services.kernel.persistent import PersistentMap

ROOT = OWNED["governance.actions"]
"""Who owns the stream: what comes without a voucher is root's."""


@dataclass(frozen=True, slots=True)
class Request:
    """A halt that some have asked for: `length` in milliseconds, the first one's reason, open before `lapses_at`."""

    length: int
    reason: str
    by: tuple[str, ...]
    lapses_at: int


@dataclass(frozen=True, slots=True)
class Halt:
    """The last halt of a product: [effective_at, until) in milliseconds."""

    effective_at: int
    until: int


@dataclass(frozen=True, slots=True)
class Halts:
    """What is asked for and what was halted, by product, and the requests that counted.

    Ids are forgotten after a week, and a vouched request stays readable for ever: were `counted` not kept, anybody
    who can send inputs could send two old ones again and halt the product. It grows by the persons of each halt.
    """

    requests: PersistentMap[str, Request] = field(default_factory=PersistentMap)
    last: PersistentMap[str, Halt] = field(default_factory=PersistentMap)
    counted: PersistentMap[str, str] = field(default_factory=PersistentMap)


@dataclass(frozen=True, slots=True)
class Persons:
    """Who may halt a product: `rules` are those of its rulebook, `members` the live principals of their group."""

    rulebook: str
    rules: HaltRules | None
    members: frozenset[str]

    def __contains__(self, person: str) -> bool:
        """Tell whether somebody is one of them."""
        return person == ROOT or person in self.members

    def spelled(self) -> str:
        """Name them for a refusal."""
        return ROOT if self.rules is None else f"{ROOT}, or a registered principal in group {self.rules.group}"


def fold(halts: Halts, event: HaltRequested | ProductHalted | ProductOpened) -> Halts:
    """Fold one event about halts."""
    product, counted = event.product, halts.counted
    person = event.by[-1] if isinstance(event, ProductHalted) else event.by
    if event.request:
        counted = counted.set(_name(person, event.request), product)
    if isinstance(event, HaltRequested):
        held = halts.requests.get(product)
        if held is not None and (held.length, held.lapses_at) == (event.length, event.lapses_at):
            request = replace(held, by=(*held.by, event.by))
        else:
            request = Request(event.length, event.reason, (event.by,), event.lapses_at)
        return replace(halts, requests=halts.requests.set(product, request), counted=counted)
    last = halts.last.set(product, Halt(event.effective_at, event.until))
    return Halts(halts.requests.remove(product), last, counted)


def halt(halts: Halts, persons: Persons, received: Received, action: HaltProduct) -> Event:
    """Count a person who asks for a halt; the last one that is needed halts the product."""
    product, sender, rules = action.product, received.sender, persons.rules
    if rules is None:
        return Refused(
            rule="halt.not-in-rulebook",
            value=f"{product} under {persons.rulebook}",
            accepted="a product whose rulebook says who may halt it",
        )
    refusal = _not_entitled(halts, persons, received, product) or _wrong_length(rules, action.length)
    if refusal is not None:
        return refusal
    standing = halts.last.get(product)
    if standing is not None and received.at < standing.until:
        return Refused(
            rule="halt.one-at-a-time",
            value=f"{product}, whose halt ends at {format_instant(standing.until)}",
            accepted=f"{product} once that halt is over",
            not_before=standing.until,
        )
    asked = _asked(halts, persons, received.at, product)
    if asked is not None and sender in asked.by:
        return Refused(
            rule="halt.asked-already",
            value=f"{sender}, who asked for a halt of {product}",
            accepted=f"another person before {format_instant(asked.lapses_at)}: {persons.spelled()}",
        )
    if asked is not None and action.length != asked.length:
        return Refused(
            rule="halt.other-length",
            value=f"length {format_duration(action.length)}",
            accepted=f"length {format_duration(asked.length)}, for which {', '.join(asked.by)} asked",
        )
    return _count(rules, received, action, asked)


def open_product(halts: Halts, persons: Persons, received: Received, action: OpenProduct) -> Event:
    """End a halt before its time, with the notice it began with: everybody hears of it before it counts."""
    product = action.product
    refusal = _not_entitled(halts, persons, received, product)
    if refusal is not None:
        return refusal
    standing = halts.last.get(product)
    if standing is None or received.at >= standing.until:
        return Refused(rule="halt.none", value=product, accepted="a product that is halted")
    notice = 0 if persons.rules is None else persons.rules.notice
    until = max(standing.effective_at, received.since + notice)
    if until >= standing.until:
        return Refused(
            rule="halt.ends-itself",
            value=f"{product}, whose halt ends at {format_instant(standing.until)}",
            accepted=f"an end more than {format_duration(notice)} before that; there is nothing left to shorten",
        )
    return ProductOpened(
        product=product,
        reason=action.reason,
        by=received.sender,
        request=received.id,
        effective_at=standing.effective_at,
        until=until,
        next=NextStep(step=f"{product} is sold and decided on again", due_at=until),
    )


def _not_entitled(halts: Halts, persons: Persons, received: Received, product: str) -> Refused | None:
    sender = received.sender
    if sender not in persons:
        return Refused(rule="halt.not-guardian", value=f"{sender or 'no proven sender'}", accepted=persons.spelled())
    if _name(sender, received.id) in halts.counted:
        return Refused(
            rule="halt.counted",
            value=f"input {received.id} of {sender} about {product}, which counted before",
            accepted="a new input, with an id of its own",
        )
    return None


def _wrong_length(rules: HaltRules, length: int) -> Refused | None:
    if SECOND <= length <= rules.length_max:
        return None
    longest = format_duration(rules.length_max)
    return Refused(rule="halt.length", value=f"length {format_duration(length)}", accepted=f"length 1s to {longest}")


def _asked(halts: Halts, persons: Persons, at: int, product: str) -> Request | None:
    """Find what is asked for at an instant, by those who still may."""
    request = halts.requests.get(product)
    if request is None or at >= request.lapses_at:
        return None
    by = tuple(person for person in request.by if person in persons)
    return replace(request, by=by) if by else None


def _count(rules: HaltRules, received: Received, action: HaltProduct, asked: Request | None) -> Event:
    product, sender = action.product, received.sender
    request = asked or Request(action.length, action.reason, (), received.since + rules.confirm_within)
    by = (*request.by, sender)
    missing = rules.persons - len(by)
    if missing > 0:
        step = f"{missing} more of group {rules.group}, or {ROOT}, ask for the same, or this lapses"
        return HaltRequested(
            product=product,
            length=action.length,
            reason=action.reason,
            by=sender,
            request=received.id,
            persons_missing=missing,
            lapses_at=request.lapses_at,
            next=NextStep(step=step, due_at=request.lapses_at),
        )
    effective_at = received.since + rules.notice
    return ProductHalted(
        product=product,
        reason=request.reason,
        by=by,
        request=received.id,
        effective_at=effective_at,
        until=effective_at + request.length,
        next=NextStep(
            step=f"{product} is halted until {format_instant(effective_at + request.length)}", due_at=effective_at
        ),
    )


def _name(person: str, identifier: str) -> str:
    return f"{person}/{identifier}"
