"""Inputs and events in plain words: one sentence each, made from their content alone."""

from collections.abc import Sequence

from schemas.adjudication import (
    AssessorExcluded,
    BallotClosed,
    BallotOpened,
    CaseRuled,
    CastVote,
    CooldownOpened,
    CorroborationClosed,
    CorroborationOpened,
    ReportCounted,
    VoteCounted,
)
from schemas.claims import (
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    CoverRegistered,
    FileClaim,
    RegisterCover,
)
from schemas.envelope import Input
from schemas.governance import (
    AssessorProfiled,
    ListProduct,
    PrincipalRegistered,
    ProductListed,
    ProfileAssessor,
    PublishRulebook,
    RegisterPrincipal,
    RulebookPublished,
)
from schemas.incidents import IncidentDecided, IncidentOpened, ReportIncident, ReportJoined
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutSubmitted,
    ReceiptConfirmed,
    ReceiptFailed,
    ReceiptFlagged,
    ReceiptSubmitted,
)
from services.cli.demo.calendar import Calendar
from services.cli.demo.cast import amount, both, name_of, plain, units
from services.cli.demo.seen import Happened, Instructed
from services.cli.demo.step import Unreadable

Content = Input | Unreadable


def about(case: str) -> str:
    """Name a case by its subject: `claim cover-alice/1`."""
    return case.removeprefix("case/").replace("/", " ", 1)


def saying(contents: Sequence[Content], calendar: Calendar) -> str:
    """Say what somebody posts: one input, or several of one kind."""
    first = contents[0]
    if len(contents) == 1:
        return _one(first, calendar)
    match first:
        case RegisterPrincipal():
            verb = "registers keys"
        case ProfileAssessor():
            verb = "sets what assessors have at stake"
        case RegisterCover():
            verb = "registers covers sold elsewhere"
        case CastVote():
            verb = f"vote on {about(first.case)}"
        case _:
            verb = "several at once"
    return f"{verb}: {'; '.join(_short(content, calendar) for content in contents)}"


def _short(content: Content, calendar: Calendar) -> str:
    match content:
        case RegisterPrincipal():
            whom = " for any account" if content.accounts == "*" else ""
            return f"{content.principal} for {' and '.join(content.streams)}{whom}"
        case ProfileAssessor():
            return f"{name_of(content.assessor)} {amount(content.stake_minor)}"
        case RegisterCover():
            return f"{content.cover}, held by {name_of(content.holder)}, {both(content.amount_minor)}"
        case CastVote():
            return f"{name_of(content.assessor)} {content.choice}"
        case _:
            return _one(content, calendar)


def _one(content: Content, calendar: Calendar) -> str:
    match content:
        case Unreadable():
            text = f'posts a record that is not JSON: "{content.value.decode(errors="replace")}"'
        case PublishRulebook(rulebook=rulebook):
            text = f'publishes rulebook {rulebook.id}: "{rulebook.title}"'
        case ListProduct():
            text = f'lists product {content.product}: "{content.title}", {content.peril}, rulebook {content.rulebook}'
        case ReportIncident():
            text = f"reports {content.product} for {calendar.moment(content.occurred_at)}, "
            text += f'reference {content.reference}: "{content.summary}"'
        case FileClaim():
            text = f"claims {both(content.amount_minor)} under {content.cover} for incident {content.incident}, "
            text += f"with {len(content.evidence)} document{'' if len(content.evidence) == 1 else 's'}"
        case CastVote():
            why = f'; "{content.rationale}"' if content.rationale else ""
            text = f"votes {content.choice} on {about(content.case)}, by clause {content.clause}{why}"
        case ReceiptSubmitted():
            text = f"sent payout {content.payout}, attempt {content.attempt}: transaction {content.transaction[:10]}..."
        case ReceiptConfirmed():
            text = f"confirms payout {content.payout}, attempt {content.attempt}: "
            text += f"{both(content.amount_minor)} to {name_of(content.recipient)}"
        case ReceiptFailed():
            text = f"cannot make payout {content.payout}, attempt {content.attempt}: {content.reason}"
        case _:
            text = f"posts {content.wire}"
    return text


def happening(happened: Happened, calendar: Calendar) -> str | None:
    """Say what an event is; None where another one of the same decision says it."""
    event, subject = happened.event, about(happened.key)
    match event:
        case RulebookPublished():
            text = f"{event.rulebook.id} is published, sha256 {event.sha256[:16]}..."
        case ProductListed():
            text = f"{event.product} is listed"
        case PrincipalRegistered():
            text = f"{event.principal} is registered"
        case AssessorProfiled():
            text = f"{name_of(event.assessor)} has {both(event.stake_minor)} at stake"
        case CoverRegistered():
            text = f"{event.cover} is registered, and keeps {event.rulebook} for ever"
        case IncidentOpened():
            text = f"opens incident {event.incident} under {event.rulebook}"
        case ReportJoined():
            text = f"joins it to incident {event.incident}"
        case IncidentDecided():
            text = f"incident {event.incident} is {event.status}"
        case ClaimFiled():
            text = f"takes it in as claim {event.claim}"
        case ClaimApproved():
            inputs = "; ".join(
                f"{name.removesuffix('_minor')} {amount(int(value))}"
                for step in event.arithmetic
                for name, value in step.inputs.items()
            )
            text = f"approves claim {event.claim} for {both(event.amount_minor)}: {inputs}"
        case ClaimDenied() | ClaimDrawn():
            how = "denied" if isinstance(event, ClaimDenied) else "undecided, and may be filed again"
            text = f"claim {event.claim} is {how}"
        case ClaimPaid():
            text = f"claim {event.claim} is paid; {both(event.remaining_minor)} of its cover remain"
        case PayoutSubmitted():
            text = f"attempt {event.attempt} of payout {event.payout} is under way"
        case PayoutFailed():
            text = f"attempt {event.attempt} of payout {event.payout} failed; the claim stays approved"
        case PayoutConfirmed():
            text = f"payout {event.payout} is confirmed"
        case ReceiptFlagged():
            mismatches = "; ".join(f"{name}: {what}" for name, what in event.mismatches.items())
            text = f"flags the receipt for somebody to look at: {plain(mismatches, calendar)}"
        case _:
            return _stage(event, subject, calendar)
    return text


def _stage(event: object, subject: str, calendar: Calendar) -> str | None:
    match event:
        case CorroborationOpened():
            text = f"{subject} needs {event.required_weight} different producers by {calendar.moment(event.closes_at)}"
        case ReportCounted():
            text = f"counts {event.producer}, which makes {event.weight_sum}"
        case CorroborationClosed():
            text = f"corroboration of {subject} closes with {event.weight_sum} of {event.required_weight}"
        case BallotOpened():
            cap = "" if event.cap_minor is None else f", each with {amount(event.cap_minor)} at most"
            text = f"opens the vote on {subject} until {calendar.moment(event.closes_at)}: "
            text += f"{event.eligible_heads} assessors with {amount(event.eligible_stake_minor)} at stake may vote{cap}"
        case AssessorExcluded():
            text = f"{name_of(event.assessor)} {event.reason}, and has no vote"
        case VoteCounted():
            capped = event.weight_minor < event.stake_minor
            of = f", capped, of {units(event.stake_minor)} at stake" if capped else ""
            text = f"counts {amount(event.weight_minor)}{of}: {tally(event)}"
        case BallotClosed():
            text = f"closes the vote on {subject}{' early' if event.early else ''}: {tally(event)}; "
            text += f"{event.heads} of {event.eligible_heads} voted; rule {event.rule}: {event.outcome}"
        case CooldownOpened():
            text = f"cooldown: {event.outcome} binds on {calendar.moment(event.closes_at)}"
        case CaseRuled():
            text = f"rules on {subject}: {event.outcome}"
        case _:
            return None
    return text


def tally(event: object) -> str | None:
    """Say how a vote stands after an event of it; None for any other event."""
    if isinstance(event, (VoteCounted, BallotClosed)):
        return f"accept {units(event.accept_minor)}, deny {units(event.deny_minor)}"
    return None


def instructing(instructed: Instructed) -> str:
    """Say what a payout instruction tells its executor."""
    instruction = instructed.instruction
    return (
        f"instructs payout {instruction.reference}, attempt {instruction.attempt}: "
        f"{both(instruction.amount_minor)} to {name_of(instruction.recipient)}"
    )
