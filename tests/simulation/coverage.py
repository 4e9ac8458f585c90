"""What the seeds together must have seen: a simulation that never reaches a payout proves nothing."""

from collections.abc import Mapping

from schemas.envelope import Event
from services import registry

MARKER = "topic.started.v1"
"""The one event that no log of a run gets: it is there before the run."""
assert registry.decision_services(), "importing them registers every event there is"

RULES = {
    "assessor": "already-registered not-registered unchanged",
    "capital": "above-own already-requested in-notice incident-open needed no-share not-requested pool-unknown "
    "transaction-counted",
    "case": "halted",
    "claim": "after-expiry already-open amount-above-remaining before-waiting-period cover-unknown cut-off-passed "
    "evidence-repeated grace-ended incident-already-paid incident-not-confirmed incident-unknown not-claimant "
    "not-holder not-less not-open other-cover other-product too-early too-much-evidence unknown",
    "cover": "above-capacity above-dependency-limit above-peril-limit above-product-limit already-registered "
    "id-reserved other-asset other-pool period period-empty pool-unknown premium-above-max product-alarmed "
    "product-halted product-unknown rulebook-unknown sold-by-pool transaction-counted",
    "finding": "product-unknown unchanged",
    "governance": "not-root",
    "group": "member-unknown unchanged",
    "halt": "asked-already counted ends-itself length none not-guardian not-in-rulebook one-at-a-time other-length "
    "product-unknown",
    "input": "id-reused",
    "payout": "not-suspended",
    "pool": "asset-fixed periods-crossed rates-crossed unchanged",
    "principal": "account-not-allowed reserved stream-not-allowed stream-unknown unchanged unknown",
    "product": "asset-fixed peril-fixed pool-asset pool-fixed pool-unknown rulebook-unknown rulebook-without-alarm "
    "rulebook-without-settlement unchanged",
    "proof": "forged malformed missing principal-unknown",
    "receipt": "already-confirmed already-failed already-submitted mismatch other-attempt payout-unknown",
    "recusal": "already-voted case-unknown excluded no-open-round not-an-assessor",
    "report": "in-future product-unknown repeated too-old",
    "rulebook": "already-published immutable version-gap",
    "stake": "asset-fixed below-minimum not-there nothing-requested notice-running rest-below-minimum terms-unknown "
    "transaction-counted unchanged withdrawal-pending",
    "vote": "already-voted case-unknown clause-missing excluded no-open-round not-an-assessor",
}
"""Every rule that refuses something outsiders can say, by what it is about; amounts here make no 2^256 shares."""
CAUSES = (
    "header-missing",
    "header-not-instant",
    "header-not-text",
    "header-twice",
    "no-value",
    "not-json",
    "specversion",
    "too-large",
    "unknown-type",
)
"""Why an outsider's record is set aside."""
FAULTS = (
    *(f"crash {moment}" for moment in ("after claim", "in replay", "after fetch", "before commit", "after commit")),
    *(f"failure {moment}" for moment in ("after fetch", "after end offsets", "before commit", "after commit")),
    *(f"unknown: {what}" for what in ("applied", "in flight", "lost")),
    *(
        "cut",
        "damage",
        "fenced",
        "hold events",
        "hold inbox",
        "outage",
        "pause",
        "rival",
        "snapshot",
        "stall",
        "takeover",
    ),
    *("too_large", "wander"),
)
OTHERS = (
    "deadline: in time",
    "deadline: late",
    "passed: duplicate",
    "passed: forwarded",
    "passed: no-effect",
    "run: calm, and the same without faults",
    "run: old inputs repeated",
    "run: the read model rebuilt, and the same",
    "read model: crash after fetch",
    "read model: failure after fetch",
    "read model: rival",
    "settled: ample",
    "settled: cut-off",
    "settled: cut-off, short",
    "settled: freed",
    "settled: income",
    "share: of a claim that was not approved",
    "stake: held by a case",
    "tranche: begun anew",
    "vote: forfeits",
    "vote: wins",
)


def _wires(model: type[Event]) -> set[str]:
    """List the wire names of a class of events and of all below it, without those that only tests know."""
    own = {model.wire} if "wire" in vars(model) and not model.__module__.startswith("tests.") else set()
    return own.union(*(_wires(child) for child in model.__subclasses__()))


def expected() -> set[str]:
    """List everything that has to occur."""
    return {
        *(f"event: {wire}" for wire in _wires(Event) - {MARKER}),
        *(f"refused: {about}.{rule}" for about, rules in RULES.items() for rule in rules.split()),
        *(f"set aside: {cause}" for cause in CAUSES),
        *(f"fault: {fault}" for fault in FAULTS),
        *OTHERS,
    }


def missing(counts: Mapping[str, int]) -> list[str]:
    """List what never occurred."""
    return sorted(name for name in expected() if not counts.get(name))
