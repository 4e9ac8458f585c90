"""What siblings hear of claims."""

from collections.abc import Sequence

from schemas.adjudication import OpenCase, ReduceCase, WithdrawCase
from schemas.claims import ClaimApproved, ClaimFiled, ClaimReduced, ClaimWithdrawn
from schemas.envelope import Message
from schemas.ids import case_key, payout_key
from schemas.payouts import RequestPayout
from services.claims.cover import case_of
from services.kernel.decider import Decided, Send


def route(decided: Decided) -> Sequence[Send]:
    """Tell adjudication of a case to rule on and of what changes it, payouts of what to transfer."""
    match decided.event:
        case ClaimFiled() as filed:
            return (_to_case(filed.claim, _opening(filed)),)
        case ClaimReduced(claim=claim, amount_minor=amount_minor):
            return (_to_case(claim, ReduceCase(case=case_of(claim), amount_minor=amount_minor)),)
        case ClaimWithdrawn(claim=claim):
            return (_to_case(claim, WithdrawCase(case=case_of(claim))),)
        case ClaimApproved() as approved:
            return (Send("payouts", payout_key(approved.payout), _request(approved)),)
        case _:
            return ()


def _to_case(claim: str, content: Message) -> Send:
    return Send("adjudication", case_key(case_of(claim)), content)


def _opening(filed: ClaimFiled) -> OpenCase:
    return OpenCase(
        case=case_of(filed.claim),
        subject="claim",
        rulebook=filed.rulebook,
        claimant=filed.claimant,
        amount_minor=filed.amount_minor,
    )


def _request(approved: ClaimApproved) -> RequestPayout:
    return RequestPayout(
        payout=approved.payout,
        claim=approved.claim,
        cover=approved.cover,
        asset=approved.asset,
        recipient=approved.recipient,
        amount_minor=approved.amount_minor,
        arithmetic=approved.arithmetic,
        terms=approved.payout_terms,
    )
