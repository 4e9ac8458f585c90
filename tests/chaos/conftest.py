"""The report of what happened, after the tests."""

from collections.abc import Iterator

import pytest

REPORTS: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORTS] = []


@pytest.fixture
def report(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """Lines to be shown when all tests are over, whatever became of them."""
    lines: list[str] = []
    yield lines
    pytestconfig.stash[REPORTS] += lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[REPORTS]:
        terminalreporter.section("chaos")
        for line in config.stash[REPORTS]:
            terminalreporter.write_line(line)
