"""`adjudex` as its users run it: commands, and an `up` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Self

from tests.support.command import Answer, Ended, adjudex, answers

ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "services.cli")
_PATIENCE_S = 60


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADJUDEX_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def post(data: Path, lines: Iterable[Answer | str], *args: str) -> Ended:
    """Run `up` on lines until everything is decided that can be now."""
    with NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        file.flush()
        return adjudex("up", file.name, "--data", data, "--json", "--until-idle", *args)


def run_up(data: Path, lines: Iterable[Answer | str], *args: str) -> list[Answer]:
    """Post lines that can all be stored, and return what was answered."""
    ended = post(data, lines, *args)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return answers(ended.stdout)


class Up:
    """A running `up`, fed by a thread, so that neither side ever waits for the other's pipe."""

    def __init__(self, data: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [*_COMMAND, "up", "--data", str(data), "--json", *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=_environment(),
        )
        self._watchdog = threading.Timer(_PATIENCE_S, self.process.kill)
        self._watchdog.start()
        self._feeders: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for feeder in self._feeders:
            feeder.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def post(self, lines: Sequence[Answer]) -> None:
        """Feed lines, after those that were posted before."""
        text = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        before = self._feeders[-1] if self._feeders else None
        feeder = threading.Thread(target=self._feed, args=(text, before))
        feeder.start()
        self._feeders.append(feeder)

    def _feed(self, text: bytes, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(text)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return  # it was killed meanwhile: what it did not acknowledge is sent again

    def end_input(self) -> None:
        """Close its standard input once everything posted is written."""
        for feeder in self._feeders:
            feeder.join()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def next(self) -> Answer | None:
        """Wait for one line; None when it ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def read(self, lines: int) -> list[Answer]:
        """Wait for so many lines."""
        found = [self.next() for _ in range(lines)]
        return [answer for answer in found if answer is not None]

    def rest(self) -> list[Answer]:
        """Read what it still says until it ends."""
        assert self.process.stdout is not None
        return answers(self.process.stdout.read().decode())

    def kill(self) -> list[Answer]:
        """Kill it as the kernel would, and return what it had said by then."""
        self.process.send_signal(signal.SIGKILL)
        said = self.rest()
        self.process.wait()
        return said


def wait_for_instruction(data: Path) -> None:
    """Run a space until a payout is instructed: until the cooldown of a claim that was voted on is over."""
    with Up(data) as up:
        while (answer := up.next()) is not None and "instruction" not in answer:
            continue
        assert answer is not None
        up.process.terminate()
        up.rest()
        assert up.process.wait() == 0
