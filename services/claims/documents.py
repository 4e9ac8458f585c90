"""What documents a claim may have."""

from collections.abc import Sequence

from schemas.claims import Evidence
from services.kernel.decider import Refused


def refuse_documents(present: Sequence[str], added: Sequence[Evidence], evidence_max: int) -> Refused | None:
    """Refuse more documents than a claim may have in all, and any that comes twice; `present` are SHA-256."""
    if len(present) + len(added) > evidence_max:
        return Refused(
            rule="claim.too-much-evidence",
            value=f"{len(added)} documents, {len(present) + len(added)} in all",
            accepted=f"at most {evidence_max - len(present)}, {evidence_max} in all",
        )
    seen = set(present)
    for document in added:
        if document.sha256 in seen:
            return Refused(
                rule="claim.evidence-repeated",
                value=f"document {document.sha256} again",
                accepted="each document once",
            )
        seen.add(document.sha256)
    return None
