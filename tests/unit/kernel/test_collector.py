"""What stays is kept from the collector, and the collector goes on with what comes after."""

import gc
from collections.abc import Iterator

import pytest

from services.kernel import collector


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_there__is_kept_once() -> None:
    before = gc.get_freeze_count()
    held = [[number] for number in range(1_000)]
    collector.keep()
    assert gc.get_freeze_count() >= before + len(held)


def test_paused_within_paused__goes_on_after_both() -> None:
    with collector.paused():
        with collector.paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_paused_by_two_tasks__goes_on_when_the_last_one_ends() -> None:
    first, second = collector.paused(), collector.paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_paused__goes_on_after_an_error() -> None:
    with pytest.raises(KeyError), collector.paused():
        raise KeyError
    assert gc.isenabled()
