"""What rows say and what the services know: two readers of the same logs, which must agree."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from schemas.envelope import Record
from schemas.topics import INPUTS
from services.kernel.partition import Partition
from services.kernel.partitioner import partition_of
from services.kernel.space import Space
from services.views.kinds import BY_NAME, KINDS
from services.views.query import Query
from services.views.running import Views

Rows = dict[str, dict[str, dict[str, Any]]]
"""The latest version of every row, by kind and id."""
Partitions = Mapping[tuple[str, int], Partition]
"""Every partition of every service, as the service has it."""
_PUBLIC = {stream.name for stream in INPUTS}


def posted(records: Mapping[tuple[str, int], Sequence[Record]]) -> set[str]:
    """Return the positions of all public inputs of a store in memory, without the markers at the beginning."""
    return {record.position for (topic, _), held in records.items() if topic in _PUBLIC for record in held[1:]}


async def read_rows(views: Views, upto: int = 10_000) -> Rows:
    """Read every version of every row as its class, and return the latest ones; the first page has them, too."""
    latest: Rows = {}
    async with views.model.database.reading() as connection:
        tables = await views.model.current(connection)
        for kind in KINDS:
            body = tables.rows[kind.name].c.keys().index("body")
            async for version in views.model.versions(connection, tables, kind.name):
                assert kind.read(version[body]).to_bytes().decode() == version[body]
                latest.setdefault(kind.name, {})[version[0]] = orjson.loads(version[body])
        query = Query(views.model, connection, tables)
        for name, held in latest.items():
            page = await query.page(BY_NAME[name], {}, upto)
            assert len(page.bodies) == min(len(held), upto)
    return latest


def check_agreement(rows: Rows, space: Space, partitions: Partitions, inputs: set[str]) -> None:
    """Hold rows against the services' own state; `inputs` are the positions of public inputs: each has a row."""

    def state(service: str, key: str) -> Any:  # noqa: ANN401 - each kind of aggregate its own
        return partitions[service, partition_of(key, space.partitions)].state(key)

    _check_pools(rows, state)
    _check_assessors(rows, state)
    _check_claims(rows)
    named = {f"{row_id.partition('@')[0]}/{row_id.partition('@')[2].partition('/')[2]}" for row_id in rows["inputs"]}
    assert inputs - named == set()


def _by(rows: Rows, kind: str, field: str) -> Mapping[str, list[dict[str, Any]]]:
    """Group the rows of a kind by what they say of a field."""
    found = defaultdict(list)
    for row in rows.get(kind, {}).values():
        found[row[field]].append(row)
    return found


def _check_pools(rows: Rows, state: Callable[[str, str], Any]) -> None:
    for name, row in rows.get("pools", {}).items():
        pool = state("pools", f"pool/{name}")
        books = {account: int(amount) for account, amount in row["books"].items()}
        assert sum(books.values()) == 0
        assert (books["cash"], books["unfunded"]) == (pool.books.cash, pool.books.unfunded)
        owed = [-books[account] for account in ("capital:junior", "capital:senior", "reserve", "payable", "deferred")]
        held = pool.books
        assert owed == [held.junior, held.senior, held.reserve, held.payable, held.deferred]
        assert row["covers_sold"] == pool.sold
        assert int(row["junior_shares_minor"]) == pool.junior.shares_minor
        assert int(row["senior_shares_minor"]) == pool.senior.shares_minor
        for place, shares in pool.shares.sorted_items():
            tranche = getattr(pool, place.partition("/")[0])
            if shares.epoch == tranche.epoch:
                assert int(rows["positions"][f"{name}/{place}"]["shares_minor"]) == shares.shares_minor
        for incident, held_incident in pool.incidents.sorted_items():
            settlement = rows["settlements"][incident]
            assert settlement["status"] == held_incident.stage
            assert int(settlement["reserved_minor"]) == held_incident.reserved_minor
            assert settlement["allocations_count"] == held_incident.allocations


def _check_assessors(rows: Rows, state: Callable[[str, str], Any]) -> None:
    votes = _by(rows, "votes", "assessor")
    for name, row in rows.get("assessors", {}).items():
        assessor = state("assessors", f"assessor/{name}")
        assert int(row["stake_minor"]) == assessor.stake_minor
        assert int(row["voting_minor"]) == assessor.weighing_minor
        put_in = int(row["added_minor"]) + int(row["rewarded_minor"])
        assert put_in == int(row["stake_minor"]) + int(row["forfeited_minor"]) + int(row["withdrawn_minor"])
        assert tuple(row["interests"]) == assessor.interests
        assert sum(int(vote["reward_minor"] or 0) for vote in votes[name]) == int(row["rewarded_minor"])


def _check_claims(rows: Rows) -> None:
    payouts, told, on_covers = (
        _by(rows, kind, field)
        for kind, field in (("payouts", "claim"), ("settlement-lines", "claim"), ("claims", "cover"))
    )
    for name, claim in rows.get("claims", {}).items():
        confirmed = [payout for payout in payouts[name] if payout["status"] == "confirmed"]
        assert int(claim["paid_minor"]) == sum(int(payout["amount_minor"]) for payout in confirmed)
        case = rows["cases"].get(claim["case"])
        if case is not None and case["outcome"] is not None and claim["status"] != "withdrawn":
            granted = claim["status"] in {"approved", "partly-paid", "paid"}
            assert granted == (case["outcome"] == "accept")
        lines = told[name]
        if claim["status"] in {"approved", "partly-paid", "paid"} and lines:
            # Of a claim that asked for less the lines before count at its share of less: the last says it all.
            last = max(lines, key=lambda line: int(line["allocation"]))
            assert int(last["allocated_minor"]) == int(claim["allocated_minor"])
        cover = rows["covers"][claim["cover"]]
        spent = int(cover["amount_minor"]) - int(cover["remaining_minor"])
        assert spent == sum(int(one["paid_minor"]) for one in on_covers[claim["cover"]])
