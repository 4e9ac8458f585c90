"""Taking in a filing: the rules in their order, and the claim that a filing which meets them all becomes."""

from schemas.claims import ClaimFiled, FileClaim
from schemas.halts import NO_HALTS, Halts
from schemas.instants import format_duration, format_instant
from schemas.rulebook import ClaimRules, Intake
from services.claims.cover import Cover, Terms, claimable_minor, ruling
from services.claims.documents import refuse_documents
from services.claims.facts import Facts, Incident
from services.claims.periods import claimable_from, covered_from, cut_off, grace_end, is_over, ruled_by, until
from services.kernel.decider import Received, Refused


def file(cover: Cover, facts: Facts, received: Received, content: FileClaim) -> ClaimFiled | Refused:
    """Decide a filing: the first broken rule refuses it (the order is the README's table)."""
    terms, incident = cover.terms, facts.incidents.get(content.incident)
    if terms is None:
        return _cover_unknown(content)
    if content.claimant != terms.holder:
        return _not_holder(content, terms)
    if incident is None:
        return _incident_unknown(content)
    rules, halts = facts.rulebooks[terms.rulebook], facts.halts.get(terms.product, NO_HALTS)
    return (
        _incident(content, incident, terms)
        or _covered(content, incident, terms, rules.intake)
        or _in_time(received.at, incident, terms, rules.intake, halts)
        or (terms.pool and _before_cut_off(received.at, content, incident, rules, halts))
        or _single(cover, content)
        or _amount(cover, terms, content)
        or refuse_documents((), content.evidence, rules.intake.evidence_max)
        or _filed(cover, terms, rules, received, content)
    )


def _cover_unknown(content: FileClaim) -> Refused:
    return Refused(
        rule="claim.cover-unknown",
        value=f"cover {content.cover}",
        accepted="a registered cover",
        unknown=True,
    )


def _not_holder(content: FileClaim, terms: Terms) -> Refused:
    return Refused(
        rule="claim.not-holder",
        value=f"claimant {content.claimant}",
        accepted=f"{terms.holder}, who holds cover {content.cover}",
    )


def _incident_unknown(content: FileClaim) -> Refused:
    return Refused(
        rule="claim.incident-unknown",
        value=f"incident {content.incident}, never reported or not decided yet",
        accepted="an incident that is confirmed",
        unknown=True,
    )


def _incident(content: FileClaim, incident: Incident, terms: Terms) -> Refused | None:
    if incident.status != "confirmed":
        return Refused(
            rule="claim.incident-not-confirmed",
            value=f"incident {content.incident}, {incident.status}",
            accepted="an incident that is confirmed",
        )
    if incident.product != terms.product:
        return Refused(
            rule="claim.other-product",
            value=f"an incident of product {incident.product}",
            accepted=f"an incident of product {terms.product}",
        )
    return None


def _covered(content: FileClaim, incident: Incident, terms: Terms, intake: Intake) -> Refused | None:
    begin = covered_from(terms.starts_at, intake)
    end, inclusive = terms.expires_at, intake.expiry_inclusive
    if incident.occurred_at < begin:
        return Refused(
            rule="claim.before-waiting-period",
            value=f"incident {content.incident} of {format_instant(incident.occurred_at)}",
            accepted=f"an incident from {format_instant(begin)}, when the waiting period is over",
        )
    if is_over(incident.occurred_at, end, inclusive=inclusive):
        return Refused(
            rule="claim.after-expiry",
            value=f"incident {content.incident} of {format_instant(incident.occurred_at)}",
            accepted=f"an incident {until(end, inclusive=inclusive)}, when the cover expires",
        )
    return None


def _in_time(at: int, incident: Incident, terms: Terms, intake: Intake, halts: Halts) -> Refused | None:
    begin = claimable_from(incident.occurred_at, intake, halts)
    end, inclusive = grace_end(terms.expires_at, intake, halts), intake.grace_inclusive
    if at < begin:
        return Refused(
            rule="claim.too-early",
            value=f"a filing of {format_instant(at)}",
            accepted=f"a filing from {format_instant(begin)}",
            not_before=begin,
        )
    if is_over(at, end, inclusive=inclusive):
        return Refused(
            rule="claim.grace-ended",
            value=f"a filing of {format_instant(at)}",
            accepted=f"a filing {until(end, inclusive=inclusive)}, when the grace after expiry ends",
        )
    return None


def _before_cut_off(at: int, content: FileClaim, incident: Incident, rules: ClaimRules, halts: Halts) -> Refused | None:
    """Refuse what comes too late to take part in the settlement of the incident, where a pool carries the cover."""
    if rules.settlement is None:
        return None
    end = cut_off(incident.decided_at, rules.settlement, halts)
    if not is_over(at, end, inclusive=False):
        return None
    within = format_duration(rules.settlement.cut_off)
    return Refused(
        rule="claim.cut-off-passed",
        value=f"a filing of {format_instant(at)}",
        accepted=f"a filing {until(end, inclusive=False)}, {within} after incident {content.incident} was confirmed",
    )


def _single(cover: Cover, content: FileClaim) -> Refused | None:
    if cover.open is not None:
        return Refused(
            rule="claim.already-open",
            value=f"a claim while {cover.open} is open",
            accepted=f"a claim once {cover.open} is ruled on or withdrawn",
        )
    settled = cover.settled.get(content.incident)
    if settled is not None:
        return Refused(
            rule="claim.incident-already-paid",
            value=f"incident {content.incident}, for which claim {settled} is {cover.claims[settled].status}",
            accepted="another incident: a cover pays for an incident once",
        )
    return None


def _amount(cover: Cover, terms: Terms, content: FileClaim) -> Refused | None:
    remaining_minor = claimable_minor(cover, terms)
    if content.amount_minor <= remaining_minor:
        return None
    return Refused(
        rule="claim.amount-above-remaining",
        value=f"{content.amount_minor} claimed",
        accepted=f"at most {remaining_minor}: of {terms.amount_minor}, {cover.paid_minor} is paid and "
        f"{cover.owed_minor} approved",
    )


def _filed(cover: Cover, terms: Terms, rules: ClaimRules, received: Received, content: FileClaim) -> ClaimFiled:
    claim = f"{content.cover}/{len(cover.claims) + 1}"
    return ClaimFiled(
        claim=claim,
        cover=content.cover,
        incident=content.incident,
        claimant=content.claimant,
        amount_minor=content.amount_minor,
        rulebook=terms.rulebook,
        evidence=content.evidence,
        product=terms.product,
        pool=terms.pool,
        next=ruling(claim, ruled_by(received.since, rules)),
    )
