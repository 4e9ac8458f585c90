"""The same covers and claims in pyeventsourcing, written as its documentation shows.

An aggregate with event methods, an application whose commands each end with one `save`, and the SQLite recorder with
its own defaults. It has the same intake rules. What it does not do, and ours does in the same time: prove who sent an
input, keep the input and its fate, notice repeats, chain the log, tell siblings, and record refusals.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.sqlite import SQLiteFactory

from schemas.instants import DAY
from tests.bench.workload import ASSET, COVERED_MINOR, INCIDENT, OCCURRED_AT, PRODUCT, RULEBOOK, START, Holding

_WAITING, _GRACE, _NOT_BEFORE, _EVIDENCE_MAX = 3 * DAY, 35 * DAY, 3 * DAY, 16


class FilingRefusedError(Exception):
    """A filing breaks an intake rule."""


class Incident(NamedTuple):
    """What the application knows of an incident."""

    name: str
    product: str
    occurred_at: int
    confirmed: bool


class Cover(Aggregate):
    """A cover and its claims."""

    @event("Registered")
    def __init__(
        self,
        cover: str,
        product: str,
        holder: str,
        amount_minor: int,
        asset: str,
        starts_at: int,
        expires_at: int,
        rulebook: str,
    ) -> None:
        self.cover = cover
        self.product = product
        self.holder = holder
        self.amount_minor = amount_minor
        self.asset = asset
        self.starts_at = starts_at
        self.expires_at = expires_at
        self.rulebook = rulebook
        self.paid_minor = 0
        self.owed_minor = 0
        self.claims: dict[str, int] = {}
        self.open: str | None = None
        self.settled: dict[str, str] = {}

    @staticmethod
    def create_id(cover: str) -> UUID:
        """Name the aggregate of a cover."""
        return uuid5(NAMESPACE_URL, f"/covers/{cover}")

    def file(self, incident: Incident, claimant: str, amount_minor: int, evidence: Sequence[str], at: int) -> None:
        """File a claim: the first broken rule refuses it."""
        rule = (
            self._incident(incident)
            or self._in_time(incident, at)
            or self._claim(incident, claimant, amount_minor, evidence)
        )
        if rule:
            raise FilingRefusedError(rule)
        claim = f"{self.cover}/{len(self.claims) + 1}"
        self._filed(claim, incident.name, claimant, amount_minor, self.rulebook, list(evidence))

    def _incident(self, incident: Incident) -> str | None:
        if not incident.confirmed:
            return "claim.incident-not-confirmed"
        if incident.product != self.product:
            return "claim.other-product"
        if incident.occurred_at < self.starts_at + _WAITING:
            return "claim.before-waiting-period"
        return "claim.after-expiry" if incident.occurred_at >= self.expires_at else None

    def _in_time(self, incident: Incident, at: int) -> str | None:
        if at < incident.occurred_at + _NOT_BEFORE:
            return "claim.too-early"
        return "claim.grace-ended" if at >= self.expires_at + _GRACE else None

    def _claim(self, incident: Incident, claimant: str, amount_minor: int, evidence: Sequence[str]) -> str | None:
        if claimant != self.holder:
            return "claim.not-holder"
        if self.open is not None:
            return "claim.already-open"
        if incident.name in self.settled:
            return "claim.incident-already-paid"
        if amount_minor > self.amount_minor - self.paid_minor - self.owed_minor:
            return "claim.amount-above-remaining"
        if len(evidence) > _EVIDENCE_MAX:
            return "claim.too-much-evidence"
        return "claim.evidence-repeated" if len(set(evidence)) < len(evidence) else None

    @event("ClaimFiled")
    def _filed(
        self, claim: str, incident: str, claimant: str, amount_minor: int, rulebook: str, evidence: list[str]
    ) -> None:
        self.claims[claim] = amount_minor
        self.open = claim


class Claims(Application[UUID]):
    """The application; `refused` counts filings that broke a rule."""

    def __init__(self, path: Path) -> None:
        super().__init__({"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
        self.refused = 0
        self._incidents = {INCIDENT: Incident(INCIDENT, PRODUCT, OCCURRED_AT, confirmed=True)}

    def register(self, holding: Holding) -> None:
        """Register a cover."""
        self.save(_cover(holding))

    def file(self, holding: Holding, at: int) -> None:
        """File a claim under a cover."""
        cover: Cover = self.repository.get(Cover.create_id(holding.cover))
        self._file(cover, holding, at)
        self.save(cover)

    def register_together(self, batch: Sequence[Holding]) -> None:
        """Register covers in one transaction."""
        self.save(*map(_cover, batch))

    def file_together(self, batch: Sequence[Holding], at: int) -> None:
        """File claims under different covers in one transaction."""
        covers: list[Cover] = [self.repository.get(Cover.create_id(holding.cover)) for holding in batch]
        for cover, holding in zip(covers, batch, strict=True):
            self._file(cover, holding, at)
        self.save(*covers)

    def _file(self, cover: Cover, holding: Holding, at: int) -> None:
        try:
            cover.file(self._incidents[INCIDENT], holding.holder, holding.claimed_minor, (), at)
        except FilingRefusedError:
            self.refused += 1

    def pragmas(self) -> tuple[str, int]:
        """Return journal mode and `synchronous` of its connections, and leave them as they are."""
        assert isinstance(self.factory, SQLiteFactory)
        with self.factory.datastore.get_connection(commit=True) as connection:
            sqlite = connection._sqlite_conn
            return sqlite.execute("PRAGMA journal_mode").fetchone()[0], sqlite.execute("PRAGMA synchronous").fetchone()[
                0
            ]


def _cover(holding: Holding) -> Cover:
    return Cover(
        cover=holding.cover,
        product=PRODUCT,
        holder=holding.holder,
        amount_minor=COVERED_MINOR,
        asset=ASSET,
        starts_at=START - 60 * DAY,
        expires_at=START + 300 * DAY,
        rulebook=RULEBOOK,
    )
