"""What the seeds together must have seen: a simulation that never reaches a payout proves nothing."""

from collections.abc import Mapping

from schemas.envelope import Event
from services.embedded import DECISION_SERVICES


_EXEMPT = {
    "topic.started.v1": "a marker, which comes before all commits",
}
RULES = """
assessor.unchanged claim.after-expiry claim.already-open claim.amount-above-remaining claim.before-waiting-period
claim.cover-unknown claim.evidence-repeated claim.grace-ended claim.incident-already-paid claim.incident-not-confirmed
claim.incident-unknown claim.not-claimant claim.not-holder claim.not-less claim.not-open claim.other-cover
claim.other-product claim.too-early claim.too-much-evidence claim.unknown cover.already-registered cover.other-asset
cover.period-empty cover.product-unknown cover.rulebook-unknown input.id-reused payout.not-suspended
principal.account-not-allowed principal.reserved principal.stream-not-allowed principal.stream-unknown
principal.unchanged principal.unknown product.asset-fixed product.peril-fixed product.rulebook-unknown
product.unchanged proof.forged proof.malformed proof.missing proof.principal-unknown receipt.already-confirmed
receipt.already-failed receipt.already-submitted receipt.mismatch receipt.other-attempt receipt.payout-unknown
report.in-future report.product-unknown report.repeated report.too-old rulebook.already-published rulebook.immutable
rulebook.version-gap vote.already-voted vote.case-unknown vote.clause-missing vote.excluded vote.no-open-round
vote.not-an-assessor
""".split()
"""Every rule that refuses something outsiders can say."""
CAUSES = (
    "header-missing header-not-instant header-not-text header-twice no-value not-json specversion too-large unknown-type"
).split()
FAULTS = (
    "crash before claim",
    "crash after claim",
    "crash in replay",
    "crash after fetch",
    "crash after end offsets",
    "crash before commit",
    "crash after commit",
    "cut",
    "damage",
    "failure after fetch",
    "failure after end offsets",
    "failure before commit",
    "failure after commit",
    "fenced",
    "hold events",
    "hold inbox",
    "outage",
    "pause",
    "rival",
    "snapshot",
    "too_large",
    "unknown: applied",
    "unknown: in flight",
    "unknown: lost",
    "wander",
)
OTHERS = (
    "deadline: in time",
    "deadline: late",
    "passed: duplicate",
    "passed: forwarded",
    "passed: no-effect",
    "run: calm, and the same without faults",
    "run: old inputs repeated",
)


def _events(model: type[Event] = Event) -> set[str]:
    """List every event there is that has a wire name of its own."""
    own = {model.wire} if "wire" in vars(model) else set()
    return own.union(*(_events(child) for child in model.__subclasses__()))


def expected() -> set[str]:
    """List everything that has to occur."""
    return {
        *(f"event: {wire}" for wire in _events() - _EXEMPT.keys()),
        *(f"refused: {rule}" for rule in RULES),
        *(f"set aside: {cause}" for cause in CAUSES),
        *(f"fault: {fault}" for fault in FAULTS),
        *OTHERS,
    }


def missing(counts: Mapping[str, int]) -> list[str]:
    """List what never occurred."""
    return sorted(name for name in expected() if not counts.get(name))
