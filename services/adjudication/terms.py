"""What a case was opened with."""

from dataclasses import dataclass

from schemas.ids import Subject


@dataclass(frozen=True, slots=True)
class Terms:
    """What a case was opened with, and keeps: in `CaseOpened` it would weigh ten times as much."""

    case: str
    subject: Subject
    rulebook: str
    claimant: str | None = None
    product: str | None = None
    pool: str | None = None
