"""The duplicate memory against a plain dictionary, and its bounds to the millisecond."""

import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY
from services.kernel.duplicates import DuplicateMemory, Known

WEEK = 7 * DAY
NOW = 20_000 * DAY + 5


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize("start", [NOW, 20_000 * DAY, 20_001 * DAY - 1], ids=["early", "first", "last"])
def test_an_input_is_known_for_exactly_seven_days(start: int) -> None:
    memory = DuplicateMemory()
    key = memory.key("coins", "till/a", "mint", "c")
    memory.remember(key, 1, 7, start, sha("x"))
    assert memory.find(key, sha("x"), start) == Known(1, 7, same=True)
    assert memory.find(key, sha("x"), start + WEEK) == Known(1, 7, same=True)
    assert memory.find(key, sha("x"), start + WEEK + 1) is None


def test_other_content_is_told_apart() -> None:
    memory = DuplicateMemory()
    key = memory.key("coins", "till/a", "mint", "c")
    memory.remember(key, 0, 7, NOW, sha("x"))
    assert memory.find(key, sha("y"), NOW) == Known(0, 7, same=False)


@pytest.mark.parametrize("part", range(4))
def test_every_part_of_an_identity_counts(part: int) -> None:
    parts = ["coins", "till/a", "mint", "c"]
    other = [*parts[:part], "else", *parts[part + 1 :]]
    assert DuplicateMemory.key(*parts) != DuplicateMemory.key(*other)
    assert DuplicateMemory.key(*parts) == DuplicateMemory.key(*parts)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    memory = DuplicateMemory()
    for day in range(60):
        key = memory.key("coins", "till/a", "mint", f"c{day}")
        memory.remember(key, 0, day, NOW + day * DAY, sha("x"))
    days = memory.dump()
    assert len(days) <= 9
    assert min(day for day, _ in days) >= (NOW + 51 * DAY) // DAY


INPUTS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from("xy"), st.sampled_from([0, 1, DAY, 3 * DAY, WEEK, WEEK + 1])),
    max_size=30,
)


@given(INPUTS)
def test_it_knows_what_a_plain_dictionary_knows(inputs: list[tuple[int, str, int]]) -> None:
    memory, model, at = DuplicateMemory(), dict[int, tuple[int, int, str]](), NOW
    for offset, (name, content, later) in enumerate(inputs):
        at += later
        key = memory.key("coins", "till/a", "mint", str(name))
        earlier = model.get(name)
        expected = None
        if earlier is not None and at - earlier[1] <= WEEK:
            expected = Known(2, earlier[0], same=earlier[2] == content)
        assert memory.find(key, sha(content), at) == expected
        if expected is None:
            memory.remember(key, 2, offset, at, sha(content))
            model[name] = (offset, at, content)
    again = DuplicateMemory.load(orjson.loads(orjson.dumps(memory.dump())))
    assert orjson.dumps(again.dump()) == orjson.dumps(memory.dump())
    for name, (offset, used_at, content) in model.items():
        key = memory.key("coins", "till/a", "mint", str(name))
        expected = Known(2, offset, same=True) if at - used_at <= WEEK else None
        assert again.find(key, sha(content), at) == expected
