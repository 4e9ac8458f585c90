"""Settings and options of all tests."""

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is slow, not wrong: time proves nothing here.
settings.register_profile("adjudex", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("adjudex")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stores",
        default="memory,sqlite",
        help="kinds of store that the conformance suite runs on: memory, sqlite, kafka (which needs a broker)",
    )
    parser.addoption("--faults", type=int, default=20, help="how many faults happen in the chaos (tests/chaos)")
    parser.addoption("--chaos-seed", type=int, help="seed of the chaos; another one each time when not given")
