"""A space's services as processes of this machine: started together, and gone together with whoever started them."""

import asyncio
import contextlib
import http.client
import random
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.registry import WRITERS

_HOST = "127.0.0.1"
_PORTS = range(20_000, 32_000)
"""Below the range from which systems give ports to clients, of which there are many here."""
_READY_S, _POLL_S = 180.0, 0.1
_STOP_S = 15.0
# Ends the services when whoever started them is gone, killed for example. Each line lists those that run by then.
_GUARD = """
alive=
while read -r line; do alive=$line; done
[ -z "$alive" ] || kill -TERM $alive 2>/dev/null
"""


@dataclass(frozen=True, slots=True)
class Service:
    """One process. `web` is where it says how it is; `log` is what it says of itself."""

    name: str
    process: subprocess.Popen[bytes]
    web: str
    log: Path
    started: float

    @property
    def said_last(self) -> str:
        """Return the last line that it said of itself."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "nothing"

    def is_ready(self) -> bool:
        """Ask whether it decides."""
        connection = http.client.HTTPConnection(self.web, timeout=5)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Services:
    """All services of a space, each a process of its own."""

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._guard = subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
            ["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE, start_new_session=True
        )
        self.running: list[Service] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, data: DataDirectory) -> AsyncIterator[Self]:
        """Start them, wait until they decide, and stop them in the end."""
        services = cls(data)
        try:
            services.start()
            await services.ready()
            yield services
        finally:
            await asyncio.to_thread(services.stop)

    def start(self) -> None:
        """Start all of them."""
        for name, port in zip(WRITERS, _free_ports(len(WRITERS)), strict=True):
            self.running.append(self._start(name, port))
            self._tell_guard()

    def _tell_guard(self) -> None:
        assert self._guard.stdin is not None
        pids = " ".join(str(service.process.pid) for service in self.running)
        self._guard.stdin.write(f"{pids}\n".encode())
        self._guard.stdin.flush()

    def _start(self, name: str, port: int) -> Service:
        logs = self._data.path / "logs"
        logs.mkdir(exist_ok=True)
        web = f"{_HOST}:{port}"
        command = [sys.executable, "-m", "services.cli", "run", name, "--data", str(self._data.path), "--web", web]
        command += ["--kafka", self._data.settings().bootstrap, "--log-level", "warning"]
        with (logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - this very program
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever started it, who then stops it in order
            )
        return Service(name, process, web, logs / f"{name}.log", time.monotonic())

    async def ready(self) -> None:
        """Wait until all of them decide; raises OperationRefusedError."""
        until = time.monotonic() + _READY_S
        waiting = list(self.running)
        while waiting:
            self.check()
            answers = await asyncio.gather(*(asyncio.to_thread(service.is_ready) for service in waiting))
            waiting = [service for service, ready in zip(waiting, answers, strict=True) if not ready]
            if waiting and time.monotonic() > until:
                names = ", ".join(service.name for service in waiting)
                raise OperationRefusedError(
                    f"not ready after {_READY_S:.0f} s: {names}", f"{waiting[0].name} said last: {waiting[0].said_last}"
                )
            if waiting:
                await asyncio.sleep(_POLL_S)

    def check(self) -> None:
        """Raise OperationRefusedError when one of them has ended."""
        for service in self.running:
            if service.process.poll() is not None:
                text = f"{service.name} has ended with exit code {service.process.returncode}"
                raise OperationRefusedError(text, f"it said last: {service.said_last}")

    def stop(self) -> list[Service]:
        """Stop all of them in order, and return those that were running."""
        ended, self.running = self.running, []
        for service in ended:
            service.process.terminate()
        until = time.monotonic() + _STOP_S
        for service in ended:
            try:
                service.process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()
        if self._guard.returncode is None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it: nobody to tell
                self._tell_guard()
            self._guard.communicate()
        return ended


def _free_ports(count: int) -> Sequence[int]:
    """Find ports that nobody listens on."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OperationRefusedError("no port is free here", f"free some of {_PORTS.start} to {_PORTS.stop}")
