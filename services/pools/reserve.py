"""What claims of an incident may cost: its opening, what each claim is reserved at, and what follows from a change."""

from collections.abc import Sequence

from schemas.envelope import Event
from schemas.halts import passed
from schemas.incidents import IncidentDecided
from schemas.pools import ClaimExposure, ReserveChanged, SettlementMoved, SettlementOpened
from services.kernel.persistent import PersistentMap
from services.pools.draft import Draft
from services.pools.facts import Facts
from services.pools.later import free
from services.pools.pool import Claim, Incident, Pool, owed, provision
from services.pools.settlement import close_if_decided, settle, settle_if_ample, settle_late


def open_settlement(name: str, pool: Pool, facts: Facts, decided: IncidentDecided) -> Sequence[Event]:
    """Open the settlement of a confirmed incident, once, if the pool sold cover that can still be claimed on.

    Its cut-off is the latest of those covers': no claim of it can be filed after that.
    """
    if pool.terms is None or decided.status != "confirmed" or decided.incident in pool.incidents:
        return ()
    halts = facts.halts.get(decided.product, ())
    sold: PersistentMap[str, int] = pool.rulebooks.get(decided.product, PersistentMap())
    moved = sum(halt.until - halt.effective_at for halt in halts)
    windows = [
        settlement.cut_off
        for rulebook, until in sold.sorted_items()
        if until + moved >= decided.decided_at and (settlement := facts.rulebooks[rulebook].settlement) is not None
    ]
    if not windows:
        return ()
    opened = SettlementOpened(
        pool=name,
        incident=decided.incident,
        product=decided.product,
        occurred_at=decided.occurred_at,
        decided_at=decided.decided_at,
        window=max(windows),
        cut_off_at=passed(decided.decided_at, max(windows), halts),
        provision_minor=pool.exposure.products.get(decided.product, 0),
    )
    return (opened,)


def move_cut_offs(name: str, pool: Pool, facts: Facts, product: str) -> Sequence[Event]:
    """Move the cut-offs of a product's open incidents: windows count time outside halts."""
    halts, moved = facts.halts.get(product, ()), []
    for incident in pool.unclosed:
        state = pool.incidents[incident]
        cut_off_at = passed(state.decided_at, state.window, halts)
        if state.stage == "open" and state.product == product and cut_off_at != state.cut_off_at:
            moved.append(SettlementMoved(pool=name, incident=incident, cut_off_at=cut_off_at))
    return moved


def expose(name: str, pool: Pool, content: ClaimExposure, since: int) -> Sequence[Event]:
    """Reserve for a claim at what claims say of it now, and pay, free or settle what follows from that.

    A claim that was approved or closed stays so, and one for an incident or under a cover that this pool does not
    know is nothing to it. After the settlement a claim can only come to less.
    """
    incident = pool.incidents.get(content.incident)
    cover = pool.exposure.covers.get(content.cover)
    if incident is None or cover is None or cover.product != incident.product:
        return ()
    before = incident.claims.get(content.claim)
    after = _claim(incident, before, content)
    if after is None:
        return ()
    draft = Draft(name, pool)
    changed = ReserveChanged(
        pool=name,
        claim=content.claim,
        cover=content.cover,
        incident=content.incident,
        amount_minor=after.amount_minor,
        status=content.status,
        reserved_minor=incident.reserved_minor + after.amount_minor - (before.amount_minor if before else 0),
    )
    draft.add(changed)
    if incident.stage == "open":
        _before_settlement(draft, content, since)
    else:
        _after_settlement(draft, incident, content, since)
    return draft.events


def _claim(incident: Incident, before: Claim | None, content: ClaimExposure) -> Claim | None:
    """Return the claim as it is now, or None where that is nothing new."""
    if before is None:
        return None if content.status == "closed" else Claim(content.amount_minor, content.status)
    amount_minor = 0 if content.status == "closed" else content.amount_minor
    if incident.stage != "open":
        amount_minor = min(amount_minor, before.amount_minor)
    if before.status != "undecided" or (amount_minor, content.status) == (before.amount_minor, before.status):
        return None
    return Claim(amount_minor, content.status)


def _before_settlement(draft: Draft, content: ClaimExposure, since: int) -> None:
    """Pay what is approved, if capital bears it all; settle when nothing is left that could come."""
    if content.status == "approved":
        settle_if_ample(draft, content.incident, content.claim, since)
    incident = draft.pool.incidents[content.incident]
    if not incident.undecided and incident.reserved_minor and not provision(draft.pool, incident):
        settle(draft, content.incident, since)


def _after_settlement(draft: Draft, before: Incident, content: ClaimExposure, since: int) -> None:
    """Free what the claim held and does not need; close the incident when this was the last undecided claim."""
    claim = before.claims.get(content.claim)
    if claim is None:
        settle_late(draft, content.incident, content.claim, since)
    else:
        after = draft.pool.incidents[content.incident].claims[content.claim]
        dropped_minor = owed(claim) - owed(after)
        if dropped_minor or draft.pool.incidents[content.incident].freed_minor:
            free(draft, content.incident, dropped_minor, since)
    close_if_decided(draft, content.incident)
