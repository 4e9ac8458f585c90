"""A broker for all tests of a process, and spaces on it, each with a name of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.kafka.filling import fill
from tests.support.command import adjudex
from tests.support.kafka import broker_address, new_prefix
from tests.unit.cli.spaces import LINES

NewData = Callable[..., Path]


@pytest.fixture(scope="session")
def bootstrap() -> str:
    """The address of a single broker on which everybody may do everything."""
    return broker_address()


@pytest.fixture(autouse=True)
def _cluster(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADJUDEX_KAFKA", bootstrap)
    monkeypatch.setenv("COLUMNS", "100")


def _new_space(data: Path, *options: str) -> Path:
    space = ("--space", new_prefix(data.name), "--partitions", "2")
    made = adjudex("topics", "apply", "--data", data, *space, *options)
    assert made.returncode == 0, made.stdout + made.stderr
    return data


@pytest.fixture
def new_data(tmp_path: Path) -> NewData:
    """Make data directories of new spaces of two partitions, with their topics."""
    return lambda name="space", *options: _new_space(tmp_path / name, *options)


@pytest.fixture(scope="session")
def decided(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space in which inputs of several fates are decided: to be read only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADJUDEX_KAFKA", bootstrap)
        data = _new_space(tmp_path_factory.mktemp("decided") / "space")
        fill(data, LINES)
    return data
