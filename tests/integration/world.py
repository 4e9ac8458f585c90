"""A small market to test with: what governance sets up, and inputs as an outsider would write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

Line = dict[str, Any]

SCOPE = "main"
RULEBOOK = "quick@1"
ASSET = "eip155:1/erc20:0x" + "a0" * 20
HOLDER = "eip155:1:0x" + "11" * 20
STRANGER = "eip155:1:0x" + "22" * 20
ASSESSORS = tuple(f"eip155:1:0x{number:040x}" for number in range(0xA1, 0xA4))
AMOUNT = 1_000_000
BOT, GATEWAY, FILER = "bot", "gateway", "filer"
PRODUCTS = ("vault-a", "vault-b")


_NOW = datetime.now(UTC)


def instant(**ago: float) -> str:
    """Spell the instant that long before this module was loaded."""
    return (_NOW - timedelta(**ago)).isoformat(timespec="milliseconds")


def rulebook() -> dict[str, Any]:
    """Rules under which everything goes as fast as it can: one report confirms, all votes close, a second's rest."""
    return {
        "name": "quick",
        "version": 1,
        "title": "Quick rules",
        "incident": {
            "join_window": "1h",
            "report_within": "30d",
            "procedure": [
                {
                    "stage": "corroboration",
                    "required_weight": 1,
                    "default_weight": 1,
                    "window": "1h",
                    "unmet": "deny",
                }
            ],
        },
        "claim": {
            "intake": {
                "waiting_period": "0s",
                "grace": "30d",
                "not_before": "1h",
                "expiry_inclusive": False,
                "grace_inclusive": False,
                "evidence_max": 2,
            },
            "procedure": [
                {
                    "stage": "ballot",
                    "electorate": {"kind": "staked"},
                    "weight": {"kind": "stake", "at": "opening"},
                    "secrecy": "open",
                    "window": "1h",
                    "end_inclusive": False,
                    "early_close": {"when": "all-voted", "after": "0s"},
                    "quorum": {"of": "eligible-stake", "share_bps": 1000, "comparison": "more-than"},
                    "agreement": {"of": "cast", "share_bps": 5000, "comparison": "more-than"},
                    "tie": "draw",
                    "empty": "draw",
                    "unresolved": "draw",
                    "revote": "replaces",
                    "excluded": ["claimant"],
                },
                {"stage": "cooldown", "length": "1s"},
            ],
            "payout": {
                "first_retry": "1s",
                "multiplier": 2,
                "longest_retry": "1h",
                "attempts_max": 8,
                "receipt_within": "1h",
            },
        },
    }


def line(stream: str, wire: str, identifier: str, content: Line, **more: object) -> Line:
    """Write an input line."""
    return {"stream": stream, "type": wire, "id": identifier, "content": content, **more}


def govern(wire: str, identifier: str, **content: object) -> Line:
    """Write an act of governance."""
    return line("governance.actions", wire, identifier, {"scope": SCOPE, **content})


def market() -> list[Line]:
    """What governance sets up before anything else; principals' keys come from `adjudex key new`."""
    return [
        govern("rulebook.publish.v1", "publish-quick", rulebook=rulebook()),
        *(
            govern(
                "product.list.v1",
                f"list-{product}",
                product=product,
                title=f"Vault {product}",
                peril="exploit",
                asset=ASSET,
                rulebook=RULEBOOK,
            )
            for product in PRODUCTS
        ),
        govern(
            "stake.set-terms.v1",
            "stake-terms",
            asset=ASSET,
            stake_min_minor="1",
            notice="1s",
            payout=rulebook()["claim"]["payout"],
        ),
    ]


def stakes() -> list[Line]:
    """What assessors do once governance has set everything up, through a gateway that is registered."""
    lines = []
    for number, account in enumerate(ASSESSORS):
        more: Line = {"as": GATEWAY}
        lines.append(
            line("assessor.actions", "assessor.register.v1", f"register-{number}", {"assessor": account}, **more)
        )
        stake = {"assessor": account, "amount_minor": "1000", "transaction": f"0x{number}"}
        lines.append(line("assessor.actions", "stake.add.v1", f"stake-{number}", stake, **more))
    return lines


def report(reference: str, product: str = PRODUCTS[0], **content: object) -> Line:
    """Write a bot's report of an exploit two hours ago."""
    held = {"product": product, "reference": reference, "occurred_at": instant(hours=2), "summary": "drained"}
    return line("incident.reports", "incident.report.v1", f"report-{reference}", {**held, **content}, **{"as": BOT})


def register(cover: str, product: str = PRODUCTS[0], **content: object) -> Line:
    """Write the registration of a cover that began a month ago and has a year to go."""
    held = {
        "cover": cover,
        "product": product,
        "holder": HOLDER,
        "amount_minor": str(AMOUNT),
        "asset": ASSET,
        "starts_at": instant(days=30),
        "expires_at": instant(days=-365),
        "rulebook": RULEBOOK,
    }
    return line("cover.registrations", "cover.register.v1", f"register-{cover}", {**held, **content})


def file(cover: str, incident: str, identifier: str | None = None, **content: object) -> Line:
    """Write a filing for a tenth of the cover."""
    held = {"cover": cover, "claimant": HOLDER, "incident": incident, "amount_minor": str(AMOUNT // 10)}
    more = {"as": GATEWAY}
    return line("claim.filings", "claim.file.v1", identifier or f"file-{cover}", {**held, **content}, **more)


def vote(claim: str, assessor: str, choice: str = "accept") -> Line:
    """Write an assessor's vote."""
    content = {"case": f"claim/{claim}", "assessor": assessor, "choice": choice, "clause": "1.1"}
    identifier = f"vote-{claim}-{assessor[-2:]}-{choice}"
    return line("assessor.votes", "vote.cast.v1", identifier, content, **{"as": GATEWAY})


def confirm(claim: str, **content: object) -> Line:
    """Write the treasury's word that the transfer happened."""
    held = {
        "payout": f"{claim}/1",
        "attempt": 1,
        "transaction": f"tx-{claim}",
        "asset": ASSET,
        "recipient": HOLDER,
        "amount_minor": str(AMOUNT // 10),
    }
    return line("payout.receipts", "receipt.confirmed.v1", f"confirm-{claim}", {**held, **content})
