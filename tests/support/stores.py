"""The kinds of store that the conformance suite runs on; Apache Kafka is beside, in kafka.py."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from services.kernel.clock import VirtualClock
from services.kernel.memory_store import MemoryStore
from services.kernel.space import Space
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import Store


class Layout(NamedTuple):
    """What a store is created from; `folder` is the test's own, `wait` runs something asynchronous to its end."""

    space: Space
    topics: Sequence[str]
    clock: VirtualClock
    folder: Path
    wait: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run


@runtime_checkable
class HoldsBack(Protocol):
    """A store that can leave a transaction invisible in one topic partition while it is visible in others."""

    def hold_back(self, topic: str, partition: int) -> None:
        """Keep what is committed to a topic partition from now on invisible."""

    def release(self) -> None:
        """Make everything visible and hold nothing back any more."""


@dataclass(frozen=True)
class StoreKind:
    """One kind of store: how it is created, and opened again after everything that used it is gone."""

    name: str
    create: Callable[[Layout], Store]
    reopen: Callable[[Store, Layout], Store]
    close: Callable[[Store, Layout], None]
    can_hold_visibility: bool = False

    def __str__(self) -> str:
        return self.name


def incarnation(topic: str) -> str:
    """Name the life of a topic, the same in every run, so that logs can be compared byte for byte."""
    return hashlib.sha256(topic.encode()).hexdigest()[:16]


class HoldingMemoryStore(MemoryStore):
    """A memory store that holds back what it is told to."""

    def __init__(self, layout: Layout) -> None:
        self._held_back: set[tuple[str, int]] = set()
        super().__init__(layout.space.name, layout.topics, layout.space.partitions, layout.clock, incarnation)

    def hold(self, topic: str, partition: int) -> bool:
        return (topic, partition) in self._held_back

    def hold_back(self, topic: str, partition: int) -> None:
        self._held_back.add((topic, partition))

    def release(self) -> None:
        self._held_back.clear()
        super().release()


def sqlite_path(layout: Layout) -> Path:
    return layout.folder / "space.sqlite"


def _create_sqlite(layout: Layout) -> SqliteStore:
    space = layout.space
    return SqliteStore.create(
        sqlite_path(layout), space.name, layout.topics, space.partitions, layout.clock, incarnation, {}
    )


def _close_sqlite(store: Store, _: Layout) -> None:
    assert isinstance(store, SqliteStore)
    store.close()


def _reopen_sqlite(store: Store, layout: Layout) -> SqliteStore:
    _close_sqlite(store, layout)
    return SqliteStore.open(sqlite_path(layout), layout.clock)


MEMORY = StoreKind("memory", HoldingMemoryStore, lambda store, _: store, lambda _, __: None, can_hold_visibility=True)
SQLITE = StoreKind("sqlite", _create_sqlite, _reopen_sqlite, _close_sqlite)
LOCAL_KINDS = (MEMORY, SQLITE)
