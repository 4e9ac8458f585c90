"""A vote: refused by the first rule it breaks, or counted; the last one that can come may close the round."""

from collections.abc import Sequence

from schemas.adjudication import CastVote, Choice, VoteCounted
from schemas.envelope import Event
from schemas.outcomes import NextStep
from schemas.rulebook import Ballot, StakeWeight
from services.adjudication.ballot.count import closed
from services.adjudication.ballot.round import Bounds, Round, Vote, grounds_sha256, is_reasoned, with_event
from services.adjudication.ballot.schedule import due
from services.adjudication.facts import Facts
from services.adjudication.index import LOCKS_MAX
from services.kernel.decider import Refused


def vote(rules: Ballot, state: Round, facts: Facts, content: CastVote, at: int) -> Sequence[Event]:
    """Decide a vote stamped `at`.

    A round is open until its closing is in the log (product.md section 8): after an outage it closes late, and until
    then votes count. The last vote that can come closes it at once, unless it is overdue.
    """
    bounds = state.opened
    stake_minor = stake_of(content.assessor, rules.weight, bounds, facts)
    grounds = grounds_sha256(content.clause, content.rationale)
    cast = Vote(content.choice, stake_minor, is_reasoned(content.rationale), grounds)
    refusal = _refusal(rules, state, content, stake_minor) or _repeated(rules, state, content.assessor, cast)
    if refusal:
        return [refusal]
    earlier = state.votes.get(content.assessor)
    if earlier is None and facts.index.is_full(content.assessor):
        return [_too_many(content.assessor)]
    closes_at = due(state, state.heads + (earlier is None))
    weight_minor = bounds.weight_of(stake_minor)
    sums = _sums(state, content.choice, weight_minor, earlier)
    counted = VoteCounted(
        round=bounds.round,
        assessor=content.assessor,
        choice=content.choice,
        clause=content.clause,
        rationale=content.rationale,
        stake_minor=stake_minor,
        weight_minor=weight_minor,
        replaces=earlier is not None,
        accept_minor=sums["accept"],
        deny_minor=sums["deny"],
        next=NextStep(step="ballot closes", due_at=max(at, closes_at)),
    )
    overdue = at >= due(state, state.heads)
    if closes_at > at or overdue:
        return [counted]
    return [counted, closed(rules, with_event(state, counted), at)]


def stake_of(assessor: str, rules: StakeWeight, bounds: Bounds, facts: Facts) -> int:
    """Return the stake (base units) that counts for an assessor; 0 for one outside the electorate.

    The electorate is that of the opening whatever the weight is taken from, so that turnout is a share of it. What an
    assessor withdrew since weighs in neither.
    """
    at_opening = facts.profiles.stake_left(assessor, bounds.facts_version)
    return at_opening if rules.at == "opening" or not at_opening else facts.stake(assessor)


def _sums(state: Round, choice: Choice, weight_minor: int, earlier: Vote | None) -> dict[Choice, int]:
    """Return what both sides weigh (base units) with a vote, in place of an earlier one."""
    sums: dict[Choice, int] = {"accept": state.accept_minor, "deny": state.deny_minor}
    sums[choice] += weight_minor
    if earlier is not None:
        sums[earlier.choice] -= state.opened.weight_of(earlier.stake_minor)
    return sums


def _refusal(rules: Ballot, state: Round, content: CastVote, stake_minor: int) -> Refused | None:
    reason = state.excluded.get(content.assessor)
    if reason is not None:
        return Refused(
            rule="vote.excluded",
            value=f"{content.assessor} {reason}",
            accepted=f"a vote in round {state.opened.round} of an assessor who is not party to the case",
        )
    if not stake_minor:
        today = " and has one when voting" if rules.weight.at == "vote" else ""
        return Refused(
            rule="vote.not-an-assessor",
            value=f"{content.assessor} has a stake of 0 base units that counts in round {state.opened.round}",
            accepted=f"a vote of an assessor who had a stake above 0 when the round opened{today}",
        )
    if rules.clause_required and not content.clause.strip():
        return Refused(
            rule="vote.clause-missing",
            value="the vote names no clause",
            accepted="a vote that names the wording clause it rests on, in 1 to 200 characters",
        )
    return None


def _repeated(rules: Ballot, state: Round, assessor: str, cast: Vote) -> Refused | None:
    earlier = state.votes.get(assessor)
    if earlier is None or (rules.revote == "replaces" and earlier != cast):
        return None
    weight_minor = state.opened.weight_of(earlier.stake_minor)
    return Refused(
        rule="vote.already-voted",
        value=f"{assessor} voted {earlier.choice} with {weight_minor} base units in round {state.opened.round}",
        accepted="one vote per assessor and round; the first one stands"
        if rules.revote == "refused"
        else "a vote that differs from the one that stands, in choice, clause, rationale or stake",
    )


def _too_many(assessor: str) -> Refused:
    return Refused(
        rule="vote.too-many-unsettled",
        value=f"{assessor} has {LOCKS_MAX} votes in cases that are not over",
        accepted="a further vote once one of these cases has settled its votes",
    )
