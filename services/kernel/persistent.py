"""Persistent maps: state that is cheap to keep two versions of.

A `PersistentMap` shares structure with the map it came from, so that adding one entry to 100,000 costs what adding it
to ten does. It has no plain iteration on purpose: the order of the underlying trie depends on the process's string
hashing, and a decision that followed it could not be decided again byte for byte. Iterate with `sorted_items`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from rpds import HashTrieMap

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class PersistentMap(Generic[K, V]):
    """An immutable mapping with cheap versions; keys must be sortable among themselves."""

    __slots__ = ("_map",)
    __iter__ = None
    """Or else Python would iterate by `__getitem__`, from 0 on."""

    _map: "HashTrieMap[K, V]"

    def __new__(cls, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> "PersistentMap[K, V]":
        """Hold `items`; most maps of most aggregates are empty, and all empty ones are one."""
        return _holding(HashTrieMap(items)) if items else _NONE

    def __getitem__(self, key: K) -> V:
        """Return the value of `key`; raises KeyError."""
        return self._map[key]

    def __contains__(self, key: object) -> bool:
        """Tell whether `key` has a value."""
        return key in self._map

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._map)

    def __eq__(self, other: object) -> bool:
        """Compare by entries."""
        return isinstance(other, PersistentMap) and self._map == other._map

    def __hash__(self) -> int:
        """Hash by entries."""
        return hash(self._map)

    def __repr__(self) -> str:
        """Show entries in key order."""
        return f"PersistentMap({dict(self.sorted_items())!r})"

    @overload
    def get(self, key: K) -> V | None: ...

    @overload
    def get(self, key: K, default: D) -> V | D: ...

    def get(self, key: K, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        return self._map.get(key, default)

    def set(self, key: K, value: V) -> "PersistentMap[K, V]":
        """Return a map that also has `key: value`."""
        return _holding(self._map.insert(key, value))

    def remove(self, key: K) -> "PersistentMap[K, V]":
        """Return a map without `key`; the same when it has none."""
        return _holding(self._map.discard(key))

    def sorted_items(self) -> Iterator[tuple[K, V]]:
        """Go through the entries in key order: O(n log n), for closings, never per input."""
        return iter(sorted(self._map.items(), key=lambda item: item[0]))  # type: ignore[arg-type,return-value]

    def sorted_keys(self) -> list[K]:
        """List the keys in order."""
        return sorted(self._map)  # type: ignore[type-var]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Snapshots spell a map as pairs in key order."""
        key, value = getattr(source, "__args__", (Any, Any))
        pairs = core_schema.list_schema(
            core_schema.tuple_positional_schema([handler.generate_schema(key), handler.generate_schema(value)])
        )
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.union_schema(
                [
                    core_schema.chain_schema(
                        [
                            core_schema.is_instance_schema(cls),
                            core_schema.no_info_plain_validator_function(lambda held: list(held.sorted_items())),
                            pairs,
                        ]
                    ),
                    pairs,
                ]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda held: list(held.sorted_items()), return_schema=pairs
            ),
        )


def _holding(held: "HashTrieMap[K, V]") -> PersistentMap[K, V]:
    made: PersistentMap[K, V] = object.__new__(PersistentMap)
    made._map = held  # noqa: SLF001 - its constructor
    return made


_NONE: PersistentMap[Any, Any] = _holding(HashTrieMap())
