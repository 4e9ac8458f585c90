"""`adjudex run`: one service of a space on Kafka."""

from services.cli.console import OperationRefusedError
from services.cli.data import DataDirectory
from services.process.assembly import RUNNABLE, Running
from services.process.shell import run


def run_service(service: str, data: DataDirectory, instance: str | None, web: str) -> int:
    """Run a service until told to stop; returns the exit code."""
    if service not in RUNNABLE:
        raise OperationRefusedError(f"there is no service {service}", f"run one of {', '.join(RUNNABLE)}")
    host, _, port = web.rpartition(":")
    running = Running(service, data.space(), data.settings(), instance, data.snapshots)
    return run(running, host, int(port))
