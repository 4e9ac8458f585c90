"""Services as processes of their own: started, asked, killed, stopped and resumed, told to leave."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from services.process.shell import STOPPED_LATE
from services.registry import VIEWS
from tests.integration.processes import ROOT
from tools.broker import GUARD, Ports

PATIENCE_S = 120.0
"""How long anything may take on a loaded machine before it is a failure."""
POLL_S = 0.3
_ASK_S = 2.0


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S, poll_s: float = POLL_S
) -> float:
    """Wait for a condition, and say how many seconds it took."""
    began = time.monotonic()
    while not await condition():
        if time.monotonic() > began + patience_s:
            raise AssertionError(f"after {patience_s:.0f} s still waiting for {what}")
        await asyncio.sleep(poll_s)
    return time.monotonic() - began


class Member:
    """One process of a service."""

    def __init__(self, service: str, instance: str | None, process: subprocess.Popen[bytes], port: int) -> None:
        self.service = service
        self.instance = instance
        self.process = process
        self.port = port
        self.is_leaving = False

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.service}/{self.instance or self.process.pid}"

    async def status(self) -> dict[str, Any]:
        """Return what its /ready says; nothing when it does not answer."""
        return await asyncio.to_thread(_get, f"http://127.0.0.1:{self.port}/ready")

    async def partitions(self) -> frozenset[int] | None:
        """Return the partitions it has, once it is ready for all of them; a read model may be behind under load."""
        said = await self.status()
        return frozenset(said["partitions"]) if said.get("ready") or (said and self.service == VIEWS) else None

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Take its processor away."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Give the processor back."""
        self.process.send_signal(signal.SIGCONT)

    async def leave(self) -> float:
        """Tell it to end, and say how long that took: in order, or by itself when the loaded machine lets it not."""
        self.is_leaving = True
        began = time.monotonic()
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, PATIENCE_S)
        took = time.monotonic() - began
        assert code in {0, STOPPED_LATE}, f"{self.name} ended with {code} after {took:.1f} s"
        return took


def _get(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=_ASK_S) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.HTTPError as refused:
        with refused:
            return dict(json.load(refused))
    except (OSError, ValueError):
        return {}


class Fleet:
    """The processes of one space, and a file for each with all it says."""

    def __init__(
        self, data: Path, bootstrap: str, logs: Path, login: Callable[[str], Mapping[str, str]] = lambda _: {}
    ) -> None:
        """`login` says how a service logs in, as settings in its environment."""
        self.login = login
        self.data = data
        self.bootstrap = bootstrap
        self.logs = logs
        self.members: list[Member] = []
        self._ports = Ports()
        self._port_of: dict[str, int] = {}
        logs.mkdir(exist_ok=True)
        # Ends what runs when the test is ended in any way, as the broker's does.
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(self, service: str, instance: str | None) -> Member:
        """Start a process; a static member that was there before has its port again."""
        name = f"{service}-{instance}"
        port = self._port_of.get(name) if instance else None
        if port is None:
            port = self._port_of[name] = self._ports.take()
        arguments = ["run", service, "--data", str(self.data), "--kafka", self.bootstrap]
        arguments += ["--web", f"127.0.0.1:{port}", *(["--instance", instance] if instance else [])]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ADJUDEX_")}
        kept |= self.login(service)
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=kept,
            )
        member = Member(service, instance, process, port)
        self.members.append(member)
        self._tell_guard()
        return member

    def _tell_guard(self) -> None:
        assert self._guard.stdin is not None
        alive = [str(member.process.pid) for member in self.members]
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(f"{' '.join(alive)}\n".encode())
            self._guard.stdin.flush()

    def gone(self, member: Member) -> None:
        """Forget a process that has ended."""
        assert member.process.poll() is not None
        self.members.remove(member)
        self._tell_guard()

    def of(self, service: str) -> list[Member]:
        """Return the processes of a service."""
        return [member for member in self.members if member.service == service]

    async def shared(self, members: Iterable[Member], partitions: int) -> None:
        """Wait until processes of one service have all its partitions between them, each at least one, each ready."""
        held = list(members)

        async def condition() -> bool:
            parts = [await member.partitions() for member in held]
            known = [part for part in parts if part]
            return len(known) == len(held) and sorted(n for part in known for n in part) == list(range(partitions))

        names = ", ".join(member.name for member in held)
        await until(f"{names} to share {partitions} partitions", condition)

    def check_alive(self) -> None:
        """Fail when a process has ended by itself."""
        for member in self.members:
            code = member.process.poll()
            assert code is None or member.is_leaving, f"{member.name} ended by itself with {code}"

    async def leave(self) -> None:
        """Let all leave in order."""
        members = tuple(self.members)
        await asyncio.gather(*(member.leave() for member in members))
        for member in members:
            self.gone(member)

    def kill(self) -> None:
        """End whatever still runs."""
        for member in self.members:
            if member.process.poll() is None:
                member.process.kill()
            member.process.wait()
        self.members.clear()
        self._tell_guard()
        self._guard.communicate()
        self._ports.release()
