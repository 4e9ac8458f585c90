"""Inputs and events in plain words: one sentence each, made from their content alone."""

from collections.abc import Sequence

from schemas.adjudication import (
    AssessorExcluded,
    BallotClosed,
    BallotOpened,
    CaseHalted,
    CaseRuled,
    CastVote,
    CooldownOpened,
    CorroborationClosed,
    CorroborationOpened,
    ReportCounted,
    RoundSettled,
    VoteCounted,
)
from schemas.assessors import (
    AddStake,
    RegisterAssessor,
    RequestStakeWithdrawal,
    StakeAdded,
    StakePaidOut,
    StakeSettled,
    StakeWithdrawalAnnounced,
    StakeWithdrawalAnswered,
    StakeWithdrawalRequested,
    StakeWithdrawn,
    WithdrawStake,
)
from schemas.claims import (
    ClaimAllocated,
    ClaimApproved,
    ClaimDenied,
    ClaimDrawn,
    ClaimFiled,
    ClaimPaid,
    CoverRegistered,
    FileClaim,
)
from schemas.envelope import Input
from schemas.governance import (
    GroupSet,
    HaltProduct,
    HaltRequested,
    ListProduct,
    OpenPool,
    PoolListed,
    PrincipalRegistered,
    ProductHalted,
    ProductListed,
    PublishRulebook,
    RegisterPrincipal,
    RulebookPublished,
    SetGroup,
    SetStakeTerms,
    StakeTermsSet,
)
from schemas.incidents import IncidentAlarmed, IncidentDecided, IncidentOpened, ReportIncident, ReportJoined
from schemas.instants import format_duration
from schemas.payouts import (
    PayoutConfirmed,
    PayoutFailed,
    PayoutSubmitted,
    ReceiptConfirmed,
    ReceiptFailed,
    ReceiptFlagged,
    ReceiptSubmitted,
)
from schemas.pools import (
    CapitalDeposited,
    CoverSold,
    DepositCapital,
    IncidentSettled,
    PoolOpened,
    RequestCover,
    ReserveChanged,
    SettlementLines,
    SettlementOpened,
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
        case RegisterAssessor():
            verb = "register and put money at stake"
            contents = [content for content in contents if isinstance(content, AddStake)]
        case DepositCapital():
            verb = "put in capital"
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
        case AddStake():
            return f"{name_of(content.assessor)} {amount(content.amount_minor)}"
        case DepositCapital():
            return f"{name_of(content.provider)} {both(content.amount_minor)}, {content.tranche}"
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
            text = f'lists product {content.product}: "{content.title}", {content.peril}, rulebook {content.rulebook}, '
            text += f"sold by {content.pool}; it depends on {' and '.join(content.dependencies)}"
        case OpenPool(terms=terms):
            text = f"opens {content.pool}: it may sell {terms.capacity_bps / 10_000:g} times its capital, at "
            text += (
                f"{terms.floor_rate_bps / 100:g} % a year when idle and {terms.ceiling_rate_bps / 100:g} % when full"
            )
        case SetGroup():
            text = f"makes {' and '.join(content.members)} {content.group}: together they may halt a product"
        case SetStakeTerms():
            text = (
                f"lets assessors put at stake {amount(content.stake_min_minor)} or more, which may leave after notice"
            )
        case DepositCapital():
            text = f"puts {both(content.amount_minor)} into {content.pool} as {content.tranche} capital"
        case RequestCover():
            text = f"asks for {both(content.amount_minor)} of cover of {content.product}, for "
            text += f"{format_duration(content.period)}"
        case RequestStakeWithdrawal():
            text = f"wants to take out {both(content.amount_minor)} of stake"
        case WithdrawStake():
            text = "takes the stake out"
        case HaltProduct():
            text = f'asks for a halt of {content.product}: "{content.reason}"'
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
            text = f"sent payout {plain(content.payout, calendar)}, attempt {content.attempt}: "
            text += f"transaction {plain(content.transaction, calendar)}"
        case ReceiptConfirmed():
            text = f"confirms payout {plain(content.payout, calendar)}, attempt {content.attempt}: "
            text += f"{both(content.amount_minor)} to {name_of(content.recipient)}"
        case ReceiptFailed():
            text = f"cannot make payout {plain(content.payout, calendar)}, attempt {content.attempt}: {content.reason}"
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
        case PoolListed():
            text = f"{event.pool} is to open"
        case GroupSet():
            text = f"{event.group} are {' and '.join(event.members)}"
        case StakeTermsSet():
            text = f"a stake is {amount(event.stake_min_minor)} at least"
        case StakeAdded():
            text = f"{name_of(event.assessor)} has {both(event.stake_minor)} at stake"
        case CoverRegistered():
            text = f"{event.cover} is in the register, and keeps {event.rulebook} for ever"
        case IncidentOpened():
            text = f"opens incident {event.incident} under {event.rulebook}"
        case ReportJoined():
            text = f"joins it to incident {event.incident}"
        case IncidentAlarmed():
            text = f"{event.producer} is credible: no sale of {event.product}, no capital leaves, until "
            text += f"{calendar.moment(event.until)} at most"
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
        case ClaimAllocated():
            text = f"claim {event.claim} gets {both(event.amount_minor)} now; {amount(event.deferred_minor)} stay owed"
        case ClaimPaid():
            owed = f", {amount(event.unpaid_minor)} are still owed" if event.unpaid_minor else ""
            text = f"claim {event.claim} is paid {amount(event.amount_minor)}{owed}; "
            text += f"{both(event.remaining_minor)} of its cover remain"
        case PayoutSubmitted():
            text = f"attempt {event.attempt} of payout {plain(event.payout, calendar)} is under way"
        case PayoutFailed():
            text = f"attempt {event.attempt} of payout {plain(event.payout, calendar)} failed; the claim stays approved"
        case PayoutConfirmed():
            text = f"payout {plain(event.payout, calendar)} is confirmed"
        case ReceiptFlagged():
            mismatches = "; ".join(f"{name}: {what}" for name, what in event.mismatches.items())
            text = f"flags the receipt for somebody to look at: {plain(mismatches, calendar)}"
        case _:
            return _money(event, calendar) or _stage(event, subject, calendar)
    return text


def _money(event: object, calendar: Calendar) -> str | None:
    """Say what an event of pools, assessors or a halt is; None for any other."""
    match event:
        case PoolOpened():
            text = f"{event.pool} is open, with empty books"
        case CapitalDeposited():
            text = f"{name_of(event.provider)} owns {event.share_bps / 100:g} % of all capital"
        case CoverSold():
            rate = next(int(step.result_minor) for step in event.arithmetic if step.rule.startswith("rate"))
            text = f"sells {event.cover} to {name_of(event.holder)} at {rate / 100:g} % a year: "
            text += both(event.premium_minor)
        case ReserveChanged():
            text = f"reserves {amount(event.amount_minor)} for claim {event.claim}, {event.status}"
        case SettlementOpened():
            text = f"claims for {event.incident} are settled together by {calendar.moment(event.cut_off_at)}; "
            text += f"they may come to {amount(event.provision_minor)}"
        case IncidentSettled():
            bears = event.waterfall
            text = f"{both(event.distributed_minor)} for {both(event.owed_minor)} owed by {event.claims_count} claims "
            text += f"({event.cause}): reserve {units(bears.reserve_minor)}, junior {units(bears.junior_minor)}, "
            text += f"senior {units(bears.senior_minor)}; {both(event.deferred_minor)} deferred"
        case SettlementLines():
            lines = (f"{line.claim} {units(line.amount_minor)} of {units(line.owed_minor)}" for line in event.lines)
            text = f"line by line: {'; '.join(lines)}"
        case StakeWithdrawalRequested():
            text = f"{amount(event.amount_minor)} of {name_of(event.assessor)} may leave from "
            text += f"{calendar.moment(event.available_at)}; until it does it counts"
        case StakeWithdrawalAnnounced():
            text = f"asks every partition that counts votes; new votes of {name_of(event.assessor)} weigh "
            text += f"{amount(event.stake_minor)}"
        case StakeWithdrawalAnswered():
            text = f"partition {event.partition} answers: {' and '.join(event.cases) or 'nothing'} holds the stake"
        case StakeSettled(forfeited_minor=lost, reward_minor=won) if lost or won:
            text = f"{name_of(event.assessor)} {f'loses {both(lost)}' if lost else f'wins {both(won)}'} by {event.case}"
        case StakeWithdrawn():
            text = f"nothing holds it any more: {both(event.amount_minor)} of {name_of(event.assessor)} leave"
        case StakePaidOut():
            text = f"{name_of(event.assessor)} has {amount(event.amount_minor)} back"
        case HaltRequested():
            text = f"{event.by} asks; {event.persons_missing} more must"
        case ProductHalted():
            text = f"{event.product} is halted from {calendar.moment(event.effective_at)} until "
            text += f"{calendar.moment(event.until)}, by {' and '.join(event.by)}"
        case _:
            return None
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
            text = f"{name_of(event.assessor)} {plain(event.reason, calendar)}, and has no vote"
        case VoteCounted():
            capped = event.weight_minor < event.stake_minor
            of = f", capped, of {units(event.stake_minor)} at stake" if capped else ""
            text = f"counts {amount(event.weight_minor)}{of}: {tally(event)}"
        case BallotClosed():
            text = f"closes the vote on {subject}{' early' if event.early else ''}: {tally(event)}; "
            text += f"{event.heads} of {event.eligible_heads} voted; rule {event.rule}: {event.outcome}"
        case CaseHalted():
            text = f"{subject} stands still until {calendar.moment(event.until)}; its stage closes on "
            text += f"{calendar.moment(event.closes_at)}"
        case RoundSettled(forfeited_minor=lost) if lost:
            text = f"votes against the ruling on {subject} lose {both(lost)}, shared by those for it"
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


def says_what_is_next(event: object) -> bool:
    """Tell whether what is said of an event says all that its next step does."""
    return isinstance(event, ProductHalted)


def instructing(instructed: Instructed, calendar: Calendar) -> str:
    """Say what a payout instruction tells its executor."""
    instruction = instructed.instruction
    return (
        f"instructs payout {plain(instruction.reference, calendar)}, attempt {instruction.attempt}: "
        f"{both(instruction.amount_minor)} to {name_of(instruction.recipient)}"
    )
