"""Persistent maps: every version stays as it was, and order never depends on hashing."""

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.kernel.persistent import PersistentMap

KEYS = st.text(max_size=2)
ENTRIES = st.dictionaries(KEYS, st.integers())
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers()))
PRINT_ORDER = """
from services.kernel.persistent import PersistentMap
entries = PersistentMap({f"key {number}": number for number in range(50)})
print(list(entries.sorted_items()), entries.sorted_keys(), repr(entries))
"""


@given(ENTRIES, CHANGES)
def test_it_does_what_a_dictionary_does(entries: dict[str, int], changes: list[tuple[str, int | None]]) -> None:
    held, model = PersistentMap(entries), dict(entries)
    for key, value in changes:
        if value is None:
            held = held.remove(key)
            model.pop(key, None)
        else:
            held = held.set(key, value)
            model[key] = value
        assert held.get(key) == model.get(key)
        assert (key in held) == (key in model)
    assert len(held) == len(model)
    assert list(held.sorted_items()) == sorted(model.items())
    assert held.sorted_keys() == sorted(model)
    assert held == PersistentMap(model)
    assert hash(held) == hash(PersistentMap(reversed(list(model.items()))))


@given(ENTRIES, KEYS, st.integers())
def test_an_older_version_stays_as_it_was(entries: dict[str, int], key: str, value: int) -> None:
    held = PersistentMap(entries)
    held.set(key, value)
    held.remove(key)
    assert dict(held.sorted_items()) == entries


def test_a_missing_key_is_an_error_or_the_default() -> None:
    held: PersistentMap[str, int] = PersistentMap()
    with pytest.raises(KeyError):
        held["a"]
    assert held.get("a") is None
    assert held.get("a", 5) == 5
    assert held.remove("a") == held


def test_it_cannot_be_iterated_in_an_order_that_hashing_chose() -> None:
    held: Any = PersistentMap({0: "a", 1: "b"})
    with pytest.raises(TypeError):
        iter(held)


def test_equality_is_by_entries_and_with_maps_only() -> None:
    assert PersistentMap({"a": 1}) == PersistentMap([("a", 1)])
    assert PersistentMap({"a": 1}) != PersistentMap({"a": 2})
    assert PersistentMap({"a": 1}) != {"a": 1}


def test_its_order_is_the_same_whatever_the_hash_seed() -> None:
    orders = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ORDER],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(orders) == 1


@given(st.dictionaries(st.integers(), st.tuples(KEYS, st.booleans())))
def test_the_codec_of_snapshots_reads_back_what_it_spelled(entries: dict[int, tuple[str, bool]]) -> None:
    adapter: TypeAdapter[PersistentMap[int, tuple[str, bool]]] = TypeAdapter(PersistentMap[int, tuple[str, bool]])
    held = PersistentMap(entries)
    spelled = adapter.dump_json(held)
    assert adapter.validate_json(spelled) == held
    assert spelled == adapter.dump_json(PersistentMap(reversed(list(entries.items())))), "in key order"
    assert adapter.validate_python(held) == held
