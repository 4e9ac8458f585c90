"""What votes lose and win, once nothing can change the ruling any more (anchors.md section 6: final-ruling coherence).

Every round with votes is settled, in order: votes lock the stake they were cast with until then. Lines come in chunks,
so that no decision grows with the number of votes but the first, which sums them up.
"""

from schemas.adjudication import RoundSettled, VoteLine, VotesSettled
from schemas.allocation import Weight, share, units
from schemas.envelope import Event
from schemas.money import share_down
from schemas.rulebook import Ballot, Incentives
from services.adjudication.ballot.round import Vote
from services.adjudication.case import Case, Settling, Voted, evolve
from services.adjudication.facts import Facts
from services.kernel.decider import Deadline

LINES_MAX = 200
"""How many lines one event has at most."""


def settle(case: Case, facts: Facts, at: int) -> list[Event]:
    """Settle what votes a case that is over still keeps, up to the first event that others have to follow."""
    events: list[Event] = []
    while case.kept.rounds:
        incentives = _incentives(case, facts)
        if case.kept.settling is None:
            events.append(_round(case, incentives, at))
            case = evolve(case, events[-1])
        lines = _lines(case, incentives)
        events.append(lines)
        case = evolve(case, lines)
        if lines.more:
            break
    return events


def deadline(case: Case) -> Deadline | None:
    """Return when the next lines follow: at once."""
    settling = case.kept.settling
    if settling is None:
        return None
    return Deadline(f"votes/{settling.round}/{settling.settled // LINES_MAX + 1}", settling.settled_at)


def _incentives(case: Case, facts: Facts) -> Incentives | None:
    rules = facts.procedure(case.terms.rulebook, case.terms.subject)[case.kept.rounds[0].position]
    assert isinstance(rules, Ballot), "votes were counted in a stage that is no ballot"
    return rules.incentives


def _round(case: Case, incentives: Incentives | None, at: int) -> RoundSettled:
    voted = case.kept.rounds[0]
    outcome = case.outcome if case.status == "ruled" and case.outcome else "draw"
    votes = [vote for _, vote in voted.votes.sorted_items()]
    forfeited_minor = sum(_forfeit(vote, outcome, incentives) for vote in votes)
    weights = [voted.weight_of(vote) for vote in votes if vote.choice == outcome]
    winning_minor = sum(weights)
    return RoundSettled(
        case=case.terms.case,
        round=voted.round,
        outcome=outcome,
        settled_at=at,
        forfeited_minor=forfeited_minor,
        winning_minor=winning_minor,
        units=units(weights, winning_minor, forfeited_minor),
        treasury_minor=0 if winning_minor else forfeited_minor,
    )


def _lines(case: Case, incentives: Incentives | None) -> VotesSettled:
    settling = case.kept.settling
    assert settling is not None, "lines follow the sums"
    voted, *later = case.kept.rounds
    end = settling.settled + LINES_MAX
    lines = [
        _line(account, voted, settling, incentives, holds=any(account in other.votes for other in later))
        for account in settling.accounts[settling.settled : end]
    ]
    return VotesSettled(case=case.terms.case, round=voted.round, lines=tuple(lines), more=end < len(settling.accounts))


def _line(account: str, voted: Voted, settling: Settling, incentives: Incentives | None, *, holds: bool) -> VoteLine:
    vote = voted.votes[account]
    weight_minor = voted.weight_of(vote)
    wins = vote.choice == settling.outcome
    shared = (settling.winning_minor, settling.forfeited_minor, settling.cut)
    return VoteLine(
        assessor=account,
        choice=vote.choice,
        stake_minor=vote.stake_minor,
        weight_minor=weight_minor,
        forfeit_minor=_forfeit(vote, settling.outcome, incentives),
        reward_minor=share(Weight(account, weight_minor), *shared) if wins else 0,
        holds=holds,
    )


def _forfeit(vote: Vote, outcome: str, incentives: Incentives | None) -> int:
    """Return what a vote against the ruling loses (base units, rounded down); a draw takes nothing."""
    if incentives is None or outcome in ("draw", vote.choice) or (incentives.spare_reasoned and vote.reasoned):
        return 0
    return share_down(vote.stake_minor, incentives.wrong_bps)
