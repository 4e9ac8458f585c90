"""`adjudex run`: one service of a space, as a process of its own."""

import asyncio

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.process.assembly import Running
from services.registry import PORTAL, RUNNABLE
from services.views.urls import sqlite_url

_ALL = (*RUNNABLE, PORTAL)


def run_service(service: str, data: DataDirectory, instance: str | None, web: str, database: str | None) -> int:
    """Run a service until told to stop; returns the exit code."""
    if service not in _ALL:
        raise OperationRefusedError(f"there is no service {service}", f"run one of {', '.join(_ALL)}")
    url = database or sqlite_url(data.views)
    if service == PORTAL:
        from services.cli.serving import serve_alone

        return asyncio.run(serve_alone(data.space(), url, web))
    from services.process.shell import run

    host, _, port = web.rpartition(":")
    running = Running(service, data.space(), data.settings(), instance, data.snapshots, url)
    return run(running, host, int(port))
