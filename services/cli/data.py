"""The data directory: one space's log, its snapshots, and private keys of principals."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.console import OperationRefusedError
from services.kernel.clock import WallClock
from services.kernel.space import Space, space_json, space_of
from services.kernel.sqlite_store import SqliteStore
from services.kernel.store import StoreError
from services.registry import TOPIC_NAMES, new_space

NAME_DEFAULT, PARTITIONS_DEFAULT = "main", 4
"""What a space is created with; partitions share one process here, so more of them bring nothing."""


@dataclass(frozen=True, slots=True)
class NewSpace:
    """What the user wants a space to be; None where it is all the same."""

    name: str | None = None
    partitions: int | None = None
    root_key: str | None = None


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where a space lives on this machine."""

    path: Path

    @property
    def file(self) -> Path:
        """The log."""
        return self.path / "space.sqlite"

    @property
    def snapshots(self) -> Path:
        """A cache: it may be deleted while nothing runs."""
        return self.path / "snapshots"

    @property
    def keys(self) -> Path:
        """Private keys."""
        return self.path / "keys"

    @contextmanager
    def own(self, wanted: NewSpace | None = None) -> Iterator[tuple[Space, SqliteStore]]:
        """Open the log as its one owner, creating the space when it is `wanted` and there is none."""
        if wanted is not None and not self.file.exists():
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
                _check(space, wanted, self.path)
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


def _check(space: Space, wanted: NewSpace, path: Path) -> None:
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
