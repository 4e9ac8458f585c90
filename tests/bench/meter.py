"""Measures sections by name, and can run one of them under the profiler."""

import gc
import io
import pstats
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from cProfile import Profile

_HOTTEST = 25
_LOOP = 1_000_000


class Watch:
    """The seconds of a section; several sections add up."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Meter:
    """The clocks of a run. `profiled` names the section that runs under the profiler, if any."""

    def __init__(self, profiled: str | None = None) -> None:
        self.profiled = profiled
        self._profile = Profile()

    @contextmanager
    def wall(self, name: str, *watches: Watch) -> Iterator[None]:
        """Measure what waits for the disk: elapsed time."""
        with self._section(name, time.perf_counter, watches):
            yield

    @contextmanager
    def cpu(self, name: str, *watches: Watch) -> Iterator[None]:
        """Measure what only computes: this process's time on a processor."""
        with self._section(name, time.process_time, watches):
            yield

    @contextmanager
    def _section(self, name: str, clock: Callable[[], float], watches: tuple[Watch, ...]) -> Iterator[None]:
        if name == self.profiled:
            self._profile.enable()
        start = clock()
        try:
            yield
        finally:
            spent = clock() - start
            self._profile.disable()
            for watch in watches:
                watch.seconds += spent

    def hottest(self) -> str:
        """Spell the functions in which the profiled section spent most of its time."""
        text = io.StringIO()
        pstats.Stats(self._profile, stream=text).strip_dirs().sort_stats("tottime").print_stats(_HOTTEST)
        return text.getvalue()


def tidy() -> None:
    """Leave the collector nothing of what was prepared: what is measured pays for its own objects only."""
    gc.collect()
    gc.freeze()


def loops_per_second() -> float:
    """Tell how fast this machine is at this moment: additions in a plain loop."""
    start, total = time.process_time(), 0
    for number in range(_LOOP):
        total += number
    return _LOOP / (time.process_time() - start)
