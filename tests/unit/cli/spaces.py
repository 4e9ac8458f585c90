"""Data directories with a little in them, made on a virtual clock."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.cli.data import DataDirectory
from services.cli.keys import Keyring
from services.cli.lines import read_line
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.space import space_json
from services.kernel.sqlite_store import SqliteStore
from services.registry import TOPIC_NAMES, new_space

START = 1_700_000_000_000
"""2023-11-14T22:13:20Z."""
ASSET = "eip155:1/erc20:0x" + "a0" * 20
TERMS = {
    "stream": "governance.actions",
    "type": "stake.set-terms.v1",
    "id": "terms-1",
    "content": {
        "asset": ASSET,
        "stake_min_minor": "1000",
        "notice": "1d",
        "payout": {
            "first_retry": "1h",
            "multiplier": 2,
            "longest_retry": "1d",
            "attempts_max": 8,
            "receipt_within": "1d",
        },
    },
}
AGAIN = {**TERMS, "id": "terms-2"}
JUNK = {"stream": "claim.filings", "type": "claim.file.v1", "id": "junk", "raw": "{\udcff", "partition": 1}
UNKNOWN = {
    "stream": "payout.receipts",
    "type": "receipt.failed.v1",
    "id": "failed",
    "content": {"payout": "c/1/1", "attempt": 1, "reason": "no gas"},
}
LINES = (TERMS, TERMS, AGAIN, JUNK, UNKNOWN)
"""One that is decided, repeated, and refused with another id; one that cannot be read; one about nothing."""


def new_data(folder: Path, lines: Iterable[dict[str, Any]] = LINES, *, start: int = START, decide: bool = True) -> Path:
    """Make a space of two partitions and post lines; `decide` says whether the services run."""
    data = DataDirectory(folder / "data")
    clock = VirtualClock(start)
    space = new_space("unit", 2)
    store = SqliteStore.create(data.file, "unit", TOPIC_NAMES, 2, clock, lambda _: "0" * 16, space_json(space))
    embedded = Embedded(space, store, snapshots=data.snapshots)
    keyring = Keyring(data.keys)

    async def fill() -> None:
        for line in lines:
            clock.advance_to(clock.now() + 1_000)
            await embedded.put([read_line(json.dumps(line).encode(), space, keyring).record])
            if decide:
                await embedded.settle()

    asyncio.run(fill())
    store.close()
    return data.path
