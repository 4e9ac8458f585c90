"""The data directory: one space's log, or which space on a cluster is meant; snapshots, and private keys."""

import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import orjson

from services.cli.console import OperationRefusedError
from services.kernel.clock import WallClock
from services.kernel.export import Readable
from services.kernel.space import Space, space_json, space_of
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import Store, StoreError
from services.registry import TOPIC_NAMES, new_space

if TYPE_CHECKING:
    from services.kernel.kafka.admin import Administrator
    from services.kernel.kafka.settings import KafkaSettings
    from services.kernel.kafka.store import KafkaStore

NAME_DEFAULT, PARTITIONS_DEFAULT = "main", 4
"""What a space is created with; partitions share one process here, so more of them bring nothing."""


class SpaceStore(Store, Readable, Protocol):
    """What commands take: any store that can be read as an outsider reads it."""


@dataclass(frozen=True, slots=True)
class NewSpace:
    """What the user wants a space to be; None where it is all the same."""

    name: str | None = None
    partitions: int | None = None
    root_key: str | None = None


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where a space lives on this machine, or what says which space on Kafka is meant; `kafka` names the cluster."""

    path: Path
    kafka: str | None = None

    @property
    def file(self) -> Path:
        """The embedded log."""
        return self.path / "space.sqlite"

    @property
    def description(self) -> Path:
        """The description of a space on Kafka."""
        return self.path / "space.json"

    @property
    def is_on_kafka(self) -> bool:
        """Whether the space is on a cluster; raises OperationRefusedError where the directory says both."""
        if self.description.exists() and self.file.exists():
            raise OperationRefusedError(
                f"{self.path} holds an embedded log (space.sqlite) and describes a space on Kafka (space.json)",
                "one directory is one space: move one of the two files to a directory of its own",
            )
        return self.description.exists()

    @property
    def snapshots(self) -> Path:
        """A cache: it may be deleted while nothing runs."""
        return self.path / "snapshots"

    @property
    def views(self) -> Path:
        """The read model, unless a database is named: a cache as well."""
        return self.path / "views.sqlite"

    @property
    def keys(self) -> Path:
        """Private keys."""
        return self.path / "keys"

    # --- on either

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[Space, SpaceStore]]:
        """Open the space to read it, also while its owners run."""
        if not self.is_on_kafka:
            with self.read() as (space, embedded):
                yield space, embedded
            return
        async with self._on_cluster() as opened:
            yield opened

    @asynccontextmanager
    async def owning(self) -> AsyncIterator[tuple[Space, SpaceStore]]:
        """Open the space to claim partitions of it: an embedded log as its one owner, on Kafka beside the others."""
        if not self.is_on_kafka:
            with self.own() as (space, embedded):
                yield space, embedded
            return
        async with self._on_cluster() as opened:
            yield opened

    # --- on Kafka

    def space(self) -> Space:
        """Read the description of a space on Kafka; raises OperationRefusedError where there is none to be used."""
        if not self.is_on_kafka:
            if self.file.exists():
                raise OperationRefusedError(
                    f"the space in {self.path} is an embedded log", "choose another directory with --data"
                )
            raise OperationRefusedError(
                f"{self.path} describes no space on Kafka: there is no {self.description}",
                "`adjudex topics apply` creates one; on another machine, copy space.json from where that was done",
            )
        try:
            return space_of(orjson.loads(self.description.read_bytes()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise OperationRefusedError(
                f"{self.description} does not describe a space: {type(error).__name__}: {error}",
                "copy it again from where `adjudex topics apply` was run",
            ) from None

    def describe(self, space: Space) -> None:
        """Write the description of a space on Kafka; it appears when it is whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        draft = self.path / ".space.json.draft"
        draft.write_bytes(orjson.dumps(space_json(space), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        draft.replace(self.description)

    def settings(self) -> "KafkaSettings":
        """Return how to reach the cluster; raises OperationRefusedError where that is not said, or wrong."""
        from services.kernel.kafka.settings import KafkaSettings, SettingsError

        try:
            return KafkaSettings.from_environment(self.kafka)
        except SettingsError as error:
            todo = "name the cluster with --kafka or ADJUDEX_KAFKA; ADJUDEX_KAFKA_* says how to log in (docs/kafka.md)"
            raise OperationRefusedError(str(error), todo) from None

    def cluster(self) -> "Administrator":
        """Return a connection for administration, to be entered."""
        from services.kernel.kafka.admin import Administrator

        _hush()
        return Administrator(self.settings())

    @asynccontextmanager
    async def _on_cluster(self) -> AsyncIterator[tuple[Space, "KafkaStore"]]:
        space = self.space()
        _hush()
        store = open_kafka(space, self.settings())
        try:
            yield space, store
        finally:
            await store.close()

    # --- embedded

    @contextmanager
    def own(self, wanted: NewSpace | None = None) -> Iterator[tuple[Space, SqliteStore]]:
        """Open the log as its one owner, creating the space when it is `wanted` and there is none."""
        if wanted is not None and not self.file.exists() and not self.is_on_kafka:
            space = new_space(wanted.name or NAME_DEFAULT, wanted.partitions or PARTITIONS_DEFAULT, wanted.root_key)
            store = SqliteStore.create(
                self.file, space.name, TOPIC_NAMES, space.partitions, WallClock(), _incarnation, space_json(space)
            )
        else:
            self._present()
            store = self._owned()
            space = self._space(store)
        try:
            if wanted is not None:
                check_wanted(space, wanted, self.path)
            yield space, store
        finally:
            store.close()

    @contextmanager
    def read(self) -> Iterator[tuple[Space, SqliteStore]]:
        """Open the log as it is at this moment, also while its owner runs."""
        self._present()
        store = SqliteStore.open_for_reading(self.file, WallClock())
        try:
            yield self._space(store), store
        finally:
            store.close()

    def _present(self) -> None:
        if self.is_on_kafka:
            raise OperationRefusedError(
                f"the space in {self.path} is on Kafka",
                "`adjudex run` runs its services; or choose another with --data",
            )
        if not self.file.exists():
            raise OperationRefusedError(
                f"there is no space in {self.path}", "create one with `adjudex up`, or name another with --data"
            )

    def _owned(self) -> SqliteStore:
        try:
            return SqliteStore.open(self.file, WallClock())
        except StoreError as error:
            if "in use" not in str(error):
                raise
            todo = "stop that process; to read, `log` and `doctor` work while it runs"
            raise OperationRefusedError(str(error), todo) from None

    def _space(self, store: SqliteStore) -> Space:
        try:
            return space_of(store.config)
        except (KeyError, TypeError, ValueError) as error:
            text = f"{self.file} does not describe its space: {type(error).__name__}: {error}"
            raise StoreError(text) from None


def _incarnation(_topic: str) -> str:
    return secrets.token_hex(8)


def _hush() -> None:
    """Keep a client's own log from an operator's terminal: what it cannot mend by itself, a command says better."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def open_kafka(space: Space, settings: "KafkaSettings") -> "KafkaStore":
    """Open a space on a cluster; the caller closes the store."""
    from services.kernel.kafka.store import KafkaStore

    return KafkaStore(space.name, space.partitions, settings)


def check_wanted(space: Space, wanted: NewSpace, path: Path) -> None:
    """Refuse when a space is not what the user says it is."""
    root = space.principals.get("root")
    for name, want, has in (
        ("--space", wanted.name, space.name),
        ("--partitions", wanted.partitions, space.partitions),
        ("--root-key", wanted.root_key, root.public_key if root else None),
    ):
        if want is not None and want != has:
            raise OperationRefusedError(
                f"the space in {path} was created with {name} {has or '(none)'}, not {want}",
                f"leave {name} away, or choose another directory with --data",
            )
