"""How fast a read model catches up: `python -m tests.integration.views.catch_up [RECORDS] [URL]`.

Writes a log of sales, claims and votes, folds it into an empty read model, and says how many log records it read in a
second. Without a URL, into SQLite in a temporary file.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from schemas.adjudication import BallotOpened, CaseOpened, VoteCounted
from services.views.database import Database
from services.views.running import Views
from services.views.urls import sqlite_url
from tests.unit.views.story import HOUSE, Logs, capital, govern, sell


async def fill(logs: Logs, records: int) -> int:
    """Sell covers and cast votes, with their inputs, until there are so many records."""
    await govern(logs)
    await capital(logs)
    start = logs.clock.now()
    count = number = 0
    while count < records:
        number += 1
        await sell(logs, number, f"eip155:1:0x{number:040x}")
        case = f"claim/P.{number}/1"
        key = f"case/{case}"
        opened = CaseOpened(
            case=case, subject="claim", rulebook=HOUSE.id, claimant=None, amount_minor=5, product="vault"
        )
        ballot = BallotOpened(
            stage=0,
            round=1,
            closes_at=start,
            closes_early_at=None,
            facts_version=1,
            eligible_stake_minor=5,
            eligible_heads=5,
            cap_minor=None,
        )
        await logs.write("adjudication", key, opened, ballot)
        for voter in range(5):
            vote = VoteCounted(
                round=1,
                assessor=f"eip155:1:0x{voter:040x}",
                choice="accept",
                clause="4",
                rationale="as the report says",
                stake_minor=1,
                weight_minor=1,
                replaces=False,
                accept_minor=voter,
                deny_minor=0,
            )
            await logs.write("adjudication", key, vote, cause=logs.cause("assessor.votes", key))
        count += 10
    return count


async def measure(records: int, url: str) -> None:
    logs = Logs()
    count = await fill(logs, records)
    views = await Views.open(Database(url), logs.space, logs.store)
    try:
        started, worked = time.perf_counter(), time.process_time()
        read = await views.catch_up()
        took, worked = time.perf_counter() - started, time.process_time() - worked
    finally:
        await views.close()
    print(f"{count:,} records written; {read:,} read in {took:.2f} s: {read / took:,.0f} a second")
    print(f"with {worked:.2f} s of processor time of this process: {read / worked:,.0f} a second of it")


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else sqlite_url(Path(folder) / "views.sqlite")
        asyncio.run(measure(records, url))


if __name__ == "__main__":
    main()
