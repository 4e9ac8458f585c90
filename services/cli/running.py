"""`adjudex run`: one service of a space, as a process of its own."""

import asyncio

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.process.assembly import RUNNABLE, VIEWS, Running
from services.views.database import sqlite_url

PORTAL = "portal"
"""The query API and the console over a read model; it needs no cluster."""
_ALL = (*RUNNABLE, PORTAL)


def run_service(service: str, data: DataDirectory, instance: str | None, web: str, database: str | None) -> int:
    """Run a service until told to stop; returns the exit code."""
    if service not in _ALL:
        raise OperationRefusedError(f"there is no service {service}", f"run one of {', '.join(_ALL)}")
    host, _, port = web.rpartition(":")
    url = database or sqlite_url(data.path / "views.sqlite")
    if service == PORTAL:
        from services.cli.serving import serve_alone

        return asyncio.run(serve_alone(data.space(), url, host, int(port)))
    from services.process.shell import run

    snapshots = None if service == VIEWS else data.snapshots
    running = Running(service, data.space(), data.settings(), instance, snapshots, url)
    return run(running, host, int(port))
