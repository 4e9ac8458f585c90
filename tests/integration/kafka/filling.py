"""Spaces on Kafka with something in them, decided in this process."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from schemas.envelope import Outgoing
from services.cli.data import DataDirectory, open_kafka
from services.cli.keys import Keyring
from services.cli.lines import read_line
from services.embedded import Embedded
from services.kernel.engine import Engine, PartitionStoppedError
from services.kernel.kafka.admin import Administrator
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.space import Space
from services.relay.relay import Relay

Answer = TypeVar("Answer")


def settings() -> KafkaSettings:
    return KafkaSettings(os.environ["ADJUDEX_KAFKA"], fetch_wait_ms=20)  # a fetch that waits holds up what follows


def administer(work: Callable[[Administrator], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        async with Administrator(settings()) as cluster:
            return await work(cluster)

    return asyncio.run(run())


def outgoing(data: Path, line: dict[str, Any]) -> Outgoing:
    directory = DataDirectory(data)
    return read_line(json.dumps(line).encode(), directory.space(), Keyring(directory.keys)).record


def fill(
    data: Path, lines: Iterable[dict[str, Any]] = (), records: Iterable[Outgoing] = (), *, decide: bool = True
) -> Embedded:
    """Post lines one by one, then records; `decide` says whether the services run until nothing is left to do."""
    space = DataDirectory(data).space()

    async def run() -> Embedded:
        async with opened_by(space, lambda _: settings()) as embedded:
            for line in lines:
                await embedded.put([outgoing(data, line)])
            await embedded.put(list(records))
            if decide:
                await settle(embedded)
            return embedded

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def opened_by(space: Space, settings_of: Callable[[str], KafkaSettings]) -> AsyncIterator[Embedded]:
    """Open a space with a store for each engine and relay, as the user that runs it."""
    async with contextlib.AsyncExitStack() as stack:

        def opened(user: str) -> KafkaStore:
            store = open_kafka(space, settings_of(user))
            stack.push_async_callback(store.close)
            return store

        embedded = Embedded(space, opened("admin"))
        for (service, _), engine in embedded.engines.items():
            engine.store = opened(service)
        for relay in embedded.relays:
            relay.store = opened("relay")
        yield embedded


async def settle(embedded: Embedded) -> None:
    """Run all side by side until everything is decided and published."""
    moved = True
    while moved:
        engines = await asyncio.gather(*(_decide(embedded, engine) for engine in embedded.engines.values()))
        moved = any(engines) or any(await asyncio.gather(*map(_publish, embedded.relays)))


async def _decide(embedded: Embedded, engine: Engine) -> bool:
    """Decide until nothing is left to do now; tell whether anything was."""
    if engine.stopped is not None:
        return False
    moved = False
    try:
        while (progress := await engine.step()).more:
            moved = moved or progress.decided > 0
    except PartitionStoppedError as error:
        embedded.stopped.append(error)
    return moved


async def _publish(relay: Relay) -> bool:
    """Publish what the logs hold: a fetch on Kafka may bring nothing though there is something."""
    moved = False
    ends = await relay.store.end_offsets(relay.partition, relay.logs, committed=True)
    while True:
        moved = await relay.step() > 0 or moved
        read = relay._read or {}
        if not any([await _records(relay, log, read.get(log, 0), ends[log]) for log in relay.logs]):
            return moved


async def _records(relay: Relay, log: str, start: int, end: int) -> int:
    """Count the records from one offset to another: ends of transactions are none."""
    count = 0
    if start < end:
        async for records in relay.store.replay(log, relay.partition, start):
            count += len(records)
    return count
