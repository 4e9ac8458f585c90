"""In a line: what became of something until now."""

from collections.abc import Callable

from schemas.adjudication import (
    BallotClosed,
    BallotOpened,
    CaseOpened,
    CaseRuled,
    CaseWithdrawn,
    CooldownOpened,
    CorroborationOpened,
    ReportCounted,
    VoteCounted,
)
from schemas.assessors import AssessorProfiled, AssessorRegistered
from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    ClaimReduced,
    ClaimShareHeld,
    ClaimWithdrawn,
    CoverRegistered,
)
from schemas.governance import (
    GroupSet,
    PrincipalRegistered,
    PrincipalRevoked,
    ProductHalted,
    ProductListed,
    ProductOpened,
    RulebookPublished,
)
from schemas.ids import cover_key
from schemas.incidents import IncidentDecided, IncidentOpened, ReportJoined
from schemas.instants import format_instant
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutInstructed,
    PayoutResumed,
    PayoutRetried,
    PayoutSubmitted,
    PayoutSuspended,
)
from schemas.pools import CapitalDeposited, CoverSold
from services.cli.checks import some
from services.cli.explain.history import History, Named

_IDS_MAX = 8


def state_of(history: History, named: Named) -> str:
    """Say in a line what became of something."""
    return _STATES[named.kind](history, named.id)


def _claim(history: History, claim: str) -> str:
    text, amount, paid, allocated, held = "", 0, 0, 0, 0
    status = "undecided"
    for item in history.about("claim", claim):
        match item.event:
            case ClaimFiled():
                amount = item.event.amount_minor
                text = f"claim of {item.event.claimant} under cover {item.event.cover} for {item.event.incident}"
            case ClaimReduced():
                amount = item.event.amount_minor
            case ClaimWithdrawn():
                status = "withdrawn"
            case ClaimDenied():
                status = "denied"
            case ClaimDrawn():
                status = "drawn: it may be filed again"
            case ClaimApproved():
                amount, status = item.event.amount_minor, "approved"
            case ClaimShareHeld():
                held = item.event.held_minor
            case ClaimAllocated():
                allocated = item.event.allocated_minor
            case ClaimPaid():
                paid += item.event.amount_minor
                status = "paid" if not item.event.unpaid_minor else "partly paid"
            case _:
                pass
    numbers = [
        ("allocated", allocated),
        ("held until it is decided", held if status == "undecided" else 0),
        ("paid", paid),
    ]
    more = "".join(f", {number} {name}" for name, number in numbers if number)
    return f"{text}: {status}, {amount} claimed{more}"


def _cover(history: History, cover: str) -> str:
    made = next((item.event for item in history.on(cover_key(cover)) if isinstance(item.event, CoverRegistered)), None)
    if made is None:
        sold = next(item.event for item in history.about("cover", cover) if isinstance(item.event, CoverSold))
        return f"cover of {sold.holder} on {sold.product}: sold by pool {sold.pool}, not in the register yet"
    remaining = made.amount_minor
    claims = 0
    for item in history.on(cover_key(cover)):
        if isinstance(item.event, ClaimPaid):
            remaining = item.event.remaining_minor
        claims += isinstance(item.event, ClaimFiled)
    origin = f"sold by pool {made.pool}" if made.pool else "registered"
    return (
        f"cover of {made.holder} on {made.product}, {origin}: {remaining} of {made.amount_minor} left, "
        f"{claims} claims, from {format_instant(made.starts_at)} until {format_instant(made.expires_at)}"
    )


def _incident(history: History, incident: str) -> str:
    text, status, reports = "", "open", 0
    for item in history.about("incident", incident):
        match item.event:
            case IncidentOpened():
                text = f"incident of {item.event.product} at {format_instant(item.event.occurred_at)}"
                reports += 1
            case ReportJoined():
                reports += 1
            case IncidentDecided():
                status = item.event.status + (" by a finding" if item.event.by_finding else "")
            case _:
                pass
    return f"{text}: {status}, {reports} reports"


def _case(history: History, case: str) -> str:
    text, status = "", "open"
    for item in history.on(f"case/{case}"):
        match item.event:
            case CaseOpened():
                text = f"case about {item.event.subject} {case.partition('/')[2]} under {item.event.rulebook}"
            case CorroborationOpened():
                status = f"waits for reports that weigh {item.event.required_weight}, until {_until(item.event)}"
            case ReportCounted():
                status = f"{status.partition('; ')[0]}; {item.event.weight_sum} so far"
            case BallotOpened():
                status = f"vote {item.event.round} is open until {_until(item.event)}"
            case VoteCounted():
                so_far = f"accept {item.event.accept_minor}, deny {item.event.deny_minor}"
                status = f"{status.partition('; ')[0]}; {so_far}"
            case BallotClosed():
                status = f"vote {item.event.round} closed: {item.event.outcome} ({item.event.rule})"
            case CooldownOpened():
                status = f"{item.event.outcome} binds at {_until(item.event)}"
            case CaseRuled():
                status = f"ruled: {item.event.outcome}"
            case CaseWithdrawn():
                status = "withdrawn"
            case _:
                pass
    return f"{text}: {status}"


def _until(event: CorroborationOpened | BallotOpened | CooldownOpened) -> str:
    return format_instant(event.closes_at)


def _payout(history: History, payout: str) -> str:
    text, status = "", ""
    for item in history.on(f"payout/{payout}"):
        match item.event:
            case PayoutInstructed():
                text = f"payout of {item.event.amount_minor} to {item.event.recipient}"
                status = "attempt 1 is instructed"
            case PayoutRetried():
                status = f"attempt {item.event.attempt} is instructed"
            case PayoutSubmitted():
                status = f"attempt {item.event.attempt} is under way"
            case PayoutFailed():
                status = f"attempt {item.event.attempt} failed"
            case PayoutSuspended():
                status = f"suspended: {item.event.reason}"
            case PayoutResumed():
                status = f"resumed by {item.event.by}"
            case PayoutConfirmed():
                status = f"confirmed, transaction {item.event.transaction}"
            case _:
                pass
    return f"{text}: {status}"


def _pool(history: History, pool: str) -> str:
    held = [f"{account} {amount}" for account, amount in books(history, pool).items() if amount]
    sold = sum(isinstance(item.event, CoverSold) for item in history.on(f"pool/{pool}"))
    return f"pool with {sold} covers sold: {', '.join(held) or 'empty books'}"


def books(history: History, pool: str) -> dict[str, int]:
    """Add up a pool's books: each account as it is usually read, assets by debit and all others by credit."""
    sums: dict[str, int] = {}
    for item in history.on(f"pool/{pool}"):
        for posting in getattr(item.event, "postings", ()):
            sign = 1 if posting.account in ("cash", "unfunded") else -1
            sums[posting.account] = sums.get(posting.account, 0) + sign * int(posting.amount_minor)
    return sums


def _assessor(history: History, assessor: str) -> str:
    profile = None
    for item in history.on(f"assessor/{assessor}"):
        if isinstance(item.event, AssessorProfiled):
            profile = item.event
        elif isinstance(item.event, AssessorRegistered) and profile is None:
            profile = AssessorProfiled(assessor=assessor, stake_minor=0, linked_accounts=item.event.linked_accounts)
    assert profile is not None
    parts = [f"{profile.stake_minor} at stake"]
    for name, held in (
        ("linked accounts", profile.linked_accounts),
        ("interests", profile.interests),
        ("covers", profile.holdings),
        ("shares of pools", profile.shares),
    ):
        parts += [f"{len(held)} {name}"] if held else []
    return f"assessor: {', '.join(parts)}"


def _product(history: History, product: str) -> str:
    listed, status = None, "open"
    for item in history.about("product", product):
        match item.event:
            case ProductListed():
                listed = item.event
            case ProductHalted():
                status = f"halted from {format_instant(item.event.effective_at)} to {format_instant(item.event.until)}"
            case ProductOpened():
                status = "open"
            case _:
                pass
    assert listed is not None
    seller = f"sold by pool {listed.pool}" if listed.pool else "registered elsewhere"
    return f"product {listed.title} ({listed.peril}), {seller}, new cover under {listed.rulebook}: {status}"


def _rulebook(history: History, rulebook: str) -> str:
    for item in history.items:
        if isinstance(item.event, RulebookPublished) and item.event.rulebook.id == rulebook:
            return f"rulebook {item.event.rulebook.title}: published, sha256 {item.event.sha256}"
    raise KeyError(rulebook)


def _principal(history: History, principal: str) -> str:
    status = ""
    for item in history.about("principal", principal):
        match item.event:
            case PrincipalRegistered():
                accounts = "all accounts" if "*" in item.event.accounts else f"{len(item.event.accounts)} accounts"
                status = f"may write {', '.join(item.event.streams)} and act for {accounts}"
            case PrincipalRevoked():
                status = "revoked"
            case _:
                pass
    return f"principal: {status}"


def _account(history: History, account: str) -> str:
    """Say what somebody holds, filed, provides and receives, by id."""
    parts: dict[str, dict[str, None]] = {}
    for item in history.items:
        match item.event:
            case CoverSold() | CoverRegistered() if item.event.holder == account:
                parts.setdefault("holds cover", {})[item.event.cover] = None
            case ClaimFiled() if item.event.claimant == account:
                parts.setdefault("filed", {})[item.event.claim] = None
            case CapitalDeposited() if item.event.provider == account:
                parts.setdefault("gave capital to", {})[item.event.pool] = None
            case PayoutInstructed() if item.event.recipient == account:
                parts.setdefault("receives", {})[item.event.payout] = None
            case _:
                pass
    return f"account: {'; '.join(f'{verb} {some(list(held), _IDS_MAX)}' for verb, held in parts.items())}"


def _group(history: History, group: str) -> str:
    last = [item.event for item in history.about("group", group) if isinstance(item.event, GroupSet)][-1]
    return f"group of {', '.join(last.members) or 'nobody'}"


_STATES: dict[str, Callable[[History, str], str]] = {
    "claim": _claim,
    "cover": _cover,
    "incident": _incident,
    "case": _case,
    "payout": _payout,
    "pool": _pool,
    "assessor": _assessor,
    "product": _product,
    "rulebook": _rulebook,
    "principal": _principal,
    "group": _group,
    "account": _account,
}
