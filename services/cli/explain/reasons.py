"""Why an event is as it is: the rule, what went in, and what came out, step by step."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.adjudication import (
    AssessorExcluded,
    BallotClosed,
    BallotOpened,
    CooldownOpened,
    CorroborationClosed,
    RoundSettled,
    VoteCounted,
)
from schemas.claims import ClaimPaid
from schemas.envelope import Message
from schemas.instants import format_duration, format_instant
from schemas.pools import IncidentSettled, SettlementOpened
from schemas.rulebook import Ballot, Cooldown, Corroboration, Threshold
from services.cli.explain.history import History, Item
from services.kernel.records import Refused


class Step(NamedTuple):
    """One step: the rule, what went in, what came out."""

    rule: str
    inputs: dict[str, str]
    result: str


def reasons(history: History, item: Item) -> list[Step]:
    """List the steps that lead to an event, where it has any."""
    event = item.event
    steps = [Step(step.rule, dict(step.inputs), step.result_minor) for step in getattr(event, "arithmetic", ())]
    return [*_own(history, item, event), *steps]


def _own(history: History, item: Item, event: Message) -> Iterator[Step]:
    case = item.key.partition("/")[2]
    match event:
        case Refused():
            not_before = {} if event.not_before is None else {"accepted from": format_instant(event.not_before)}
            yield Step(event.rule, {"value": event.value, "accepted": event.accepted, **not_before}, "refused")
        case CorroborationClosed():
            inputs = {"weight of the reports": str(event.weight_sum), "required": str(event.required_weight)}
            if event.weight_sum < event.required_weight:
                stage = history.stage(case, event.stage)
                inputs["unmet"] = stage.unmet if isinstance(stage, Corroboration) else ""
            yield Step("reports weigh at least what is required", inputs, event.outcome)
        case BallotOpened():
            if event.cap_minor is not None:
                stage = history.stage(case, event.stage)
                share = stage.weight.cap_bps if isinstance(stage, Ballot) else None
                inputs = {"eligible": str(event.eligible_stake_minor), "cap_bps": str(share)}
                yield Step(
                    "weight of one assessor is at most a share of the eligible stake", inputs, str(event.cap_minor)
                )
        case AssessorExcluded():
            yield Step("who has a stake in the case has no vote", {"assessor": event.assessor}, event.reason)
        case VoteCounted():
            inputs = {"stake": str(event.stake_minor)}
            yield Step("weight is stake, at most the cap", inputs, str(event.weight_minor))
        case BallotClosed():
            yield from _counted(history.stage(case, event.stage), event)
        case CooldownOpened():
            stage = history.stage(case, event.stage)
            length = format_duration(stage.length) if isinstance(stage, Cooldown) else ""
            yield Step("a ruling binds after a pause", {"length": length}, format_instant(event.closes_at))
        case RoundSettled():
            inputs = {
                "outcome": event.outcome,
                "forfeited": str(event.forfeited_minor),
                "weight of the votes for it": str(event.winning_minor),
                "units by largest remainder": str(event.units),
            }
            yield Step(
                "votes for the ruling share what the others lost", inputs, f"{event.treasury_minor} to the treasury"
            )
        case SettlementOpened():
            inputs = {"provision": str(event.provision_minor), "occurred": format_instant(event.occurred_at)}
            yield Step("claims are counted at the cut-off", inputs, format_instant(event.cut_off_at))
        case IncidentSettled():
            borne = event.waterfall
            inputs = {"owed": str(event.owed_minor), "distributed": str(event.distributed_minor), "cause": event.cause}
            inputs |= {
                "reserve": str(borne.reserve_minor),
                "junior": str(borne.junior_minor),
                "senior": str(borne.senior_minor),
            }
            yield Step(
                "each claim gets owed × distributed ÷ all that is owed", inputs, f"{event.deferred_minor} deferred"
            )
        case ClaimPaid():
            inputs = {"paid": str(event.amount_minor), "still unpaid": str(event.unpaid_minor)}
            yield Step("what is paid lessens the cover", inputs, f"{event.remaining_minor} left")
        case _:
            return


def _counted(stage: object, event: BallotClosed) -> Iterator[Step]:
    """Go through the count in its order, up to the step that decided."""
    cast = event.accept_minor + event.deny_minor
    tally = {"accept": str(event.accept_minor), "deny": str(event.deny_minor), "votes": str(event.heads)}
    if not isinstance(stage, Ballot):
        yield Step(event.rule, tally, event.outcome)
        return
    if event.rule == "empty":
        yield Step("no vote at all", tally, stage.empty)
        return
    heads = stage.quorum.of == "eligible-heads"
    part, whole = (event.heads, event.eligible_heads) if heads else (cast, event.eligible_stake_minor)
    yield _threshold(f"quorum of {stage.quorum.of}", stage.quorum, part, whole)
    if event.rule == "quorum":
        yield Step("quorum not met: unresolved", tally, stage.unresolved)
        return
    if event.rule == "tie":
        yield Step("as much for as against: tie", tally, stage.tie)
        return
    whole = cast if stage.agreement.of == "cast" else event.eligible_stake_minor
    yield _threshold(f"agreement of {stage.agreement.of}", stage.agreement, event.accept_minor, whole)
    yield Step("accept where agreement is met, else deny", tally, event.outcome)


def _threshold(name: str, threshold: Threshold, part: int, whole: int) -> Step:
    inputs = {"part": str(part), "whole": str(whole), "needs": f"{threshold.comparison} {threshold.share_bps} bps"}
    return Step(name, inputs, "met" if threshold.met(part, whole) else "not met")
