"""What is there before the chaos: rules, products, pools, capital, covers and incidents; and how inputs are made."""

import hashlib
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.assessors import AddStake, RegisterAssessor
from schemas.envelope import Input, Outgoing
from schemas.governance import ListProduct, OpenPool, PublishRulebook, RegisterPrincipal, SetStakeTerms
from schemas.incidents import ReportIncident
from schemas.instants import DAY, SECOND
from schemas.pools import DepositCapital, PoolTerms, RequestCover
from schemas.rulebook import PayoutTerms
from schemas.topics import INPUTS
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.kernel.wire import input_record
from tests.integration import world
from tests.support.worlds import POOL_TERMS

RULEBOOK = "chaos@1"
ASSET = world.ASSET
COVERED_MINOR = 1_000_000
GATEWAY, BOTS = "gateway", ("bot-a", "bot-b")
ASSESSORS = tuple(f"eip155:1:0x{number:040x}" for number in range(0xA1, 0xA4))
BALLOT = 6 * SECOND
"""The longest a ballot of the load is open; nothing else it begins takes longer than a payout's receipt."""
_STREAMS = {model: stream.name for stream in INPUTS for model in stream.types}
PROVIDER = "eip155:1:0x" + "c0" * 20
_GIVEN_COVERS = 12
"""Covers that each pool sells before its product is hit; a claim is filed on each."""
_FOR_PEOPLE = ("claim.filings", "assessor.votes", "assessor.actions", "cover.requests", "capital.movements")
_VOUCHERS = dict.fromkeys(_FOR_PEOPLE, GATEWAY)


def rulebook() -> dict[str, object]:
    """Rules whose windows are seconds long, so that deadlines of every kind fire under load."""
    rules = world.rulebook()
    rules |= {"name": "chaos", "title": "Rules for a day of outages"}
    corroboration = {"required_weight": 2, "default_weight": 1, "window": "4s", "unmet": "deny"}
    rules["incident"] = {
        "join_window": "1s",
        "report_within": "90d",
        "procedure": [{"stage": "corroboration", **corroboration}],
    }
    rules["claim"]["intake"]["not_before"] = "0s"
    rules["claim"]["settlement"] = {"cut_off": "14d"}
    rules["claim"]["procedure"][0]["window"] = f"{BALLOT // SECOND}s"
    rules["claim"]["payout"] |= {"receipt_within": "8s"}
    return rules


def payout_terms() -> PayoutTerms:
    """Return the terms of payouts that are no claim's."""
    return PayoutTerms.model_validate_json(json.dumps(world.rulebook()["claim"]["payout"]))


def products(prefix: str, partitions: int, kind: str = "product") -> list[str]:
    """Name one product (or whatever else) for each partition."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        name = f"{prefix}-{number}"
        found.setdefault(partition_of(f"{kind}/{name}", partitions), name)
        number += 1
    return [found[partition] for partition in sorted(found)]


def pools(partitions: int) -> list[str]:
    """Name one pool for each partition; its one product has the same name."""
    return products("pool", partitions, "pool")


def given_covers(partitions: int) -> list[str]:
    """Name the covers that pools sell before their product is hit, as pools number them."""
    return [f"{pool}.{number}" for pool in pools(partitions) for number in range(1, _GIVEN_COVERS + 1)]


def key_of(principal: str) -> Ed25519PrivateKey:
    """Return a principal's key."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(principal.encode()).digest())


def record(space: Space, content: Input, identifier: str, source: str = "outsider") -> Outgoing:
    """Make an input, without a voucher."""
    key = content.key()
    partition = partition_of(key, space.partitions)
    value = content.to_bytes()
    return input_record(
        _STREAMS[type(content)], partition, key, id=identifier, source=source, wire=content.wire, value=value
    )


def vouched(space: Space, records: Sequence[Outgoing]) -> list[Outgoing]:
    """Let principals vouch for those that need it, each for all of its own with one signature."""
    held: dict[str, list[int]] = {}
    for number, one in enumerate(records):
        headers = dict(one.headers)
        source = headers.get("ce_source", b"").decode()
        principal = source if one.topic == "incident.reports" else _VOUCHERS.get(one.topic)
        if principal is not None and "ce_proof" not in headers and "ce_id" in headers:
            held.setdefault(principal, []).append(number)
    made = list(records)
    for principal, numbers in held.items():
        proven = vouch(key_of(principal), principal, space.name, [records[number] for number in numbers])
        for number, one in zip(numbers, proven, strict=True):
            made[number] = one
    return made


def pool_terms(notice: int = DAY) -> PoolTerms:
    """Return the terms of a pool that sells whatever the load asks for."""
    return POOL_TERMS.model_copy(update={"capacity_bps": 20_000, "notice": notice, "payout": payout_terms()})


def governance(space: Space, _now: int) -> list[Outgoing]:
    """What governance decides before anything else."""
    listed = products("vault", space.partitions) + products("busy", space.partitions)
    terms = pool_terms()
    contents: list[Input] = [
        PublishRulebook.model_validate_json(json.dumps({"scope": world.SCOPE, "rulebook": rulebook()})),
        *(
            ListProduct(product=name, title=f"Vault {name}", peril="exploit", asset=ASSET, rulebook=RULEBOOK)
            for name in listed
        ),
        SetStakeTerms(asset=ASSET, stake_min_minor=1, notice=DAY, payout=payout_terms()),
        *(OpenPool(pool=name, title=f"Pool {name}", asset=ASSET, terms=terms) for name in pools(space.partitions)),
        *(
            ListProduct(product=name, title=f"Vault {name}", peril="exploit", asset=ASSET, rulebook=RULEBOOK, pool=name)
            for name in pools(space.partitions)
        ),
        _registration(GATEWAY, _FOR_PEOPLE, "*"),
        *(_registration(bot, ("incident.reports",), ()) for bot in BOTS),
    ]
    return [record(space, content, f"given-{number}") for number, content in enumerate(contents)]


def _registration(principal: str, streams: tuple[str, ...], accounts: tuple[str, ...] | str) -> RegisterPrincipal:
    public_key = key_of(principal).public_key().public_bytes_raw().hex()
    return RegisterPrincipal(principal=principal, public_key=public_key, streams=streams, accounts=accounts)


def capital(space: Space, _now: int) -> list[Outgoing]:
    """Stakes of assessors, and capital that bears whatever the load claims."""
    contents: list[tuple[str, Input]] = []
    for account in ASSESSORS:
        contents.append((f"joins-{account[-2:]}", RegisterAssessor(assessor=account)))
        stake = AddStake(assessor=account, amount_minor=1_000, transaction="given")
        contents.append((f"stakes-{account[-2:]}", stake))
    for pool in pools(space.partitions):
        deposit = DepositCapital(
            pool=pool, provider=PROVIDER, tranche="junior", amount_minor=10**15, transaction="given"
        )
        contents.append((f"capital-{pool}", deposit))
    return [record(space, content, name, GATEWAY) for name, content in contents]


def sold(space: Space, _now: int) -> list[Outgoing]:
    """Requests for the covers on which claims against pools are filed."""
    return [record(space, request(name), f"given:{name}", GATEWAY) for name in given_covers(space.partitions)]


def request(name: str) -> RequestCover:
    """Ask for a cover of the one product of the pool that its name begins with."""
    pool = name.rpartition(".")[0]
    return RequestCover(
        pool=pool,
        product=pool,
        holder=holder(pool),
        amount_minor=COVERED_MINOR,
        period=30 * DAY,
        premium_max_minor=COVERED_MINOR,
        transaction=name,
    )


def incidents(space: Space, now: int) -> list[Outgoing]:
    """Reports that confirm one incident of each product on which claims are filed."""
    hit = [(name, now - DAY) for name in products("vault", space.partitions)]
    hit += [(name, now - SECOND) for name in pools(space.partitions)]
    return [
        record(
            space,
            ReportIncident(product=name, reference="seen", occurred_at=occurred_at, summary="drained"),
            f"seen-{name}-{bot}",
            bot,
        )
        for name, occurred_at in hit
        for bot in BOTS
    ]


def holder(cover: str) -> str:
    """Return who holds a cover."""
    return f"eip155:1:0x{hashlib.sha256(cover.encode()).hexdigest()[:40]}"


def number_of(cover: str) -> int:
    """Return the number by which a cover's story is chosen: `c17` is 17, `pool-2.5` is 5."""
    return int(cover.rpartition(".")[2].lstrip("c"))
