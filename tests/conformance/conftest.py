"""Every test that takes `harness` or `new_harness` runs once on each kind of store that `--stores` names."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import Harness, NewHarness
from tests.support.kafka import KAFKA
from tests.support.stores import LOCAL_KINDS, StoreKind

KINDS = {kind.name: kind for kind in (*LOCAL_KINDS, KAFKA)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kinds = [KINDS[name] for name in metafunc.config.getoption("--stores").split(",")]
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", kinds, ids=str, indirect=True)
    if "holding_harness" in metafunc.fixturenames:
        holding = [kind for kind in kinds if kind.can_hold_visibility]
        metafunc.parametrize("holding_harness", holding, ids=str, indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> StoreKind:
    found = request.param
    assert isinstance(found, StoreKind)
    return found


@pytest.fixture
def new_harness(kind: StoreKind, tmp_path: Path) -> Iterator[NewHarness]:
    """Make harnesses of the test's own making, each in a folder of its own."""
    with ExitStack() as stack:
        count = iter(range(1_000))

        def make(**options: Any) -> Harness:  # noqa: ANN401 - those of Harness
            return stack.enter_context(Harness(kind, tmp_path / str(next(count)), **options))

        yield make


@pytest.fixture
def harness(new_harness: NewHarness) -> Harness:
    return new_harness()


@pytest.fixture
def holding_harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """Run only on stores that can keep a transaction invisible in one partition."""
    with Harness(request.param, tmp_path) as harness:
        yield harness
