"""A market on disk, made once by a real process, and copied for every test that changes it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import world
from tests.integration.processes import run_up, wait_for_instruction
from tests.integration.world import BOT, FILER, GATEWAY, HOLDER, Line, market
from tests.support.command import adjudex

NewMarket = Callable[[], Path]


def new_key(data: Path, name: str, *args: str) -> Line:
    """Make a key pair and return the line that registers it."""
    made = adjudex("key", "new", name, "--data", data, "--json", *args)
    assert made.returncode == 0, made.stderr
    line: Line = json.loads(made.stdout)["register"]
    return line


@pytest.fixture(scope="session")
def market_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space of two partitions in which governance has set everything up, and nothing has happened."""
    data = tmp_path_factory.mktemp("market") / "space"
    keys = [
        new_key(data, BOT, "--stream", "incident.reports"),
        new_key(data, GATEWAY, "--account", "*"),
        new_key(data, FILER, "--stream", "claim.filings", "--account", HOLDER),
    ]
    said = run_up(data, [*market(), *keys], "--partitions", "2", "--space", "test")
    said += run_up(data, world.stakes())
    fates = [answer["outcome"]["fate"] for answer in said if "outcome" in answer]
    assert fates == ["decided"] * (len(market()) + len(keys) + len(world.stakes()))
    return data


@pytest.fixture(scope="session")
def story(market_made: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The export of a story in which a public input has every fate there is for one: paid, refused, set aside, …"""
    data = Path(shutil.copytree(market_made, tmp_path_factory.mktemp("story") / "space"))
    register = world.register("c-1")
    run_up(data, [world.report("r-1"), register, register, world.register("c-2"), world.register("c-3")])
    unreadable = {"stream": "claim.filings", "type": "claim.file.v1", "id": "junk", "raw": "{"}
    misplaced = [{**world.register(f"c-{number}"), "partition": 0} for number in (4, 5)]
    run_up(data, [*misplaced, unreadable, world.file("c-1", "vault-a/1"), world.file("c-1", "vault-a/1", "again")])
    run_up(data, [world.vote("c-1/1", assessor) for assessor in world.ASSESSORS])
    wait_for_instruction(data)
    run_up(data, [world.confirm("c-1/1")])
    file = data / "export.jsonl"
    assert adjudex("log", "export", "--data", data, "--to", file).returncode == 0
    return file.read_bytes()


@pytest.fixture
def new_market(market_made: Path, tmp_path: Path) -> NewMarket:
    """Make copies of the market."""
    copies = 0

    def copy() -> Path:
        nonlocal copies
        copies += 1
        return Path(shutil.copytree(market_made, tmp_path / f"space-{copies}"))

    return copy


@pytest.fixture
def data(new_market: NewMarket) -> Path:
    """One copy of the market."""
    return new_market()
