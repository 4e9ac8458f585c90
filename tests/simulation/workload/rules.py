"""Random rulebooks: small windows, and every way of counting."""

import json
from random import Random
from typing import Any

from schemas.instants import DAY, SECOND, format_duration
from schemas.rulebook import Rulebook

MINUTE = 60 * SECOND
_HUGE = 36_500 * DAY
"""The longest span there is."""


def rulebook(random: Random, name: str, version: int) -> Rulebook:
    """Draw a rulebook; now and then one of its spans is huge."""
    spans = _Spans(random)
    incident = _incident_procedure(random, spans)
    corroborated = incident[0]["stage"] == "corroboration"
    return Rulebook.model_validate_json(
        json.dumps(
            {
                "name": name,
                "version": version,
                "title": f"Rules {name} {version}, draw {random.randrange(10**6)}",
                "incident": {
                    "join_window": spans.draw(0, 10 * SECOND, MINUTE),
                    "report_within": spans.draw(30 * SECOND, 5 * MINUTE, 10 * MINUTE),
                    "alarm": spans.draw(0, 20 * SECOND, MINUTE) if corroborated and random.random() < 0.8 else None,
                    "procedure": incident,
                },
                "claim": {
                    "intake": {
                        "waiting_period": spans.draw(0, 0, 20 * SECOND),
                        "grace": spans.draw(0, 30 * SECOND, 10 * MINUTE),
                        "not_before": spans.draw(0, 0, 15 * SECOND),
                        "expiry_inclusive": random.random() < 0.5,
                        "grace_inclusive": random.random() < 0.5,
                        "evidence_max": random.choice((0, 2, 3, 16)),
                    },
                    "settlement": _settlement(random, spans),
                    "procedure": _claim_procedure(random, spans),
                    "payout": {
                        "first_retry": spans.draw(0, 5 * SECOND, 20 * SECOND),
                        "multiplier": random.randint(1, 3),
                        "longest_retry": spans.draw(5 * SECOND, 30 * SECOND),
                        "attempts_max": random.randint(1, 3),
                        "receipt_within": spans.draw(5 * SECOND, 30 * SECOND, 2 * MINUTE),
                    },
                },
                "halt": _halt(random, spans),
            }
        )
    )


class _Spans:
    """Draws spans; in one rulebook of twenty, one of them is huge."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._huge_in = random.randrange(15) if random.random() < 0.05 else -1

    def draw(self, *spans: int) -> str:
        """Draw one of several spans, and spell it."""
        self._huge_in -= 1
        return format_duration(_HUGE if self._huge_in == 0 else self._random.choice(spans))


def _incident_procedure(random: Random, spans: _Spans) -> tuple[dict[str, Any], ...]:
    stages: list[dict[str, Any]] = []
    if random.random() < 0.9:
        stages.append(
            {
                "stage": "corroboration",
                "required_weight": random.choice((1, 1, 2, 2, 3)),
                "default_weight": random.choice((0, 1, 1, 1, 2)),
                "weights": {f"bot-{random.randint(1, 3)}": random.randint(0, 3)},
                "window": spans.draw(5 * SECOND, 20 * SECOND, MINUTE),
                "unmet": _outcome(random),
            }
        )
    if not stages or random.random() < 0.15:
        stages.append(_ballot(random, spans))
    if random.random() < 0.3:
        stages.append(_cooldown(spans))
    return tuple(stages)


def _claim_procedure(random: Random, spans: _Spans) -> tuple[dict[str, Any], ...]:
    stages = [_ballot(random, spans)]
    if random.random() < 0.15:
        stages.append(_ballot(random, spans))
    if random.random() < 0.5:
        stages.append(_cooldown(spans))
    return tuple(stages)


def _settlement(random: Random, spans: _Spans) -> dict[str, Any] | None:
    """Draw how a pool settles; without, no pool may sell cover by these rules."""
    cut_off = spans.draw(20 * SECOND, MINUTE, MINUTE, 5 * MINUTE) if random.random() < 0.95 else "0s"
    return {"cut_off": cut_off} if random.random() < 0.9 else None


def _halt(random: Random, spans: _Spans) -> dict[str, Any] | None:
    """Draw who may halt a product; without, nobody may."""
    halt = {
        "group": "guardians",
        "persons": random.choice((1, 2, 2, 3)),
        "length_max": format_duration(random.choice((30 * SECOND, 5 * MINUTE, _HUGE // 100))),
        "notice": spans.draw(0, 2 * SECOND, 10 * SECOND),
        "confirm_within": spans.draw(10 * SECOND, MINUTE, 10 * MINUTE),
    }
    return halt if random.random() < 0.85 else None


def _excluded(random: Random) -> tuple[str, ...]:
    """Draw who may not vote; the claimant never may."""
    others = [group for group in ("holders", "providers", "interested") if random.random() < 0.5]
    return ("claimant", *others)


def _incentives(random: Random) -> dict[str, Any]:
    return {"wrong_bps": random.choice((0, 10, 3_333, 10_000)), "spare_reasoned": random.random() < 0.4}


def _cooldown(spans: _Spans) -> dict[str, Any]:
    return {"stage": "cooldown", "length": spans.draw(0, 5 * SECOND, 30 * SECOND)}


def _ballot(random: Random, spans: _Spans) -> dict[str, Any]:
    early = {"when": "all-voted", "after": spans.draw(0, 5 * SECOND, MINUTE)}
    return {
        "stage": "ballot",
        "electorate": {"kind": "staked"},
        "weight": {
            "kind": "stake",
            "at": random.choice(("opening", "vote")),
            "cap_bps": random.choice((None, 500, 3_000, 10_000)),
        },
        "secrecy": "open",
        "window": spans.draw(5 * SECOND, 20 * SECOND, 20 * SECOND, 2 * MINUTE),
        "end_inclusive": random.random() < 0.5,
        "early_close": early if random.random() < 0.5 else None,
        "quorum": {
            "of": random.choice(("eligible-stake", "eligible-heads")),
            "share_bps": random.choice((0, 1_000, 5_000)),
            "comparison": random.choice(("more-than", "at-least")),
        },
        "agreement": {
            "of": random.choice(("cast", "cast", "eligible-stake")),
            "share_bps": random.choice((2_000, 5_000, 6_667)),
            "comparison": random.choice(("more-than", "at-least")),
        },
        "tie": _outcome(random),
        "empty": _outcome(random),
        "unresolved": _outcome(random),
        "revote": random.choice(("refused", "replaces")),
        "excluded": _excluded(random),
        "provider_share_bps": random.choice((0, 100, 5_000)),
        "incentives": _incentives(random) if random.random() < 0.7 else None,
        "clause_required": random.random() < 0.3,
    }


def _outcome(random: Random) -> str:
    return random.choice(("accept", "accept", "deny", "draw"))
