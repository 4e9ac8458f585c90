"""Faust as the shell of a process: lifecycle, signals, web pages. Its own Kafka client stays off.

Faust reads uncommitted records and its exactly-once is not atomic, so the loop that decides is the kernel's
(docs/adr/0011-kafka.md). `/live` answers while the event loop turns, `/ready` says what it waits for, `/metrics` is
for Prometheus.
"""

import asyncio
import os
import signal
import threading
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy
from faust.web import Request, Response, View
from mode import Service
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest

from services.process import metrics
from services.process.assembly import Running, assemble

_log = structlog.get_logger(__name__)

STOP_S = 4.8
"""A process that has not stopped by then (a cluster that does not answer, say) ends at once; the log stays whole."""
STOPPED_LATE = 70
FAILED = 1


class _NoKafka(BootStrategy):
    enable_kafka = False


class _Shell(faust.App):
    BootStrategy = _NoKafka


class _Runner(Service):
    """The kernel's loop as a service of Faust's worker."""

    def __init__(self, running: Running, registry: CollectorRegistry) -> None:
        super().__init__()
        self.process = assemble(running, metrics.transaction_times(registry, running.service))
        registry.register(metrics.ProcessCollector(self.process))
        self._stop_asked = asyncio.Event()
        self._run: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    async def on_start(self) -> None:
        """Begin."""
        self._run = asyncio.create_task(self.process.run(self._stop_asked))
        self._run.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.failure = task.exception()
        _log.critical("the process ends", error=str(self.failure), kind=type(self.failure).__name__)
        os.kill(os.getpid(), signal.SIGTERM)

    async def on_stop(self) -> None:
        """Let transactions in flight end: Faust cancels what is left once this returns."""
        self._stop_asked.set()
        if self._run is not None:
            await asyncio.wait({self._run})


def run(running: Running, host: str, port: int) -> int:
    """Run one service until SIGTERM or SIGINT; returns the exit code.

    0 after a stop in order, 1 when a right or a bug stops the whole process, 70 when stopping took too long.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    app = _Shell(
        f"{running.space.name}.{running.service}",
        broker="kafka://127.0.0.1:1",  # never asked
        web_bind=host,
        web_host=host,
        web_port=port,
        autodiscover=False,
        datadir=running.snapshots.parent if running.snapshots else None,
        loop=loop,
        web_cors_options=None,
    )
    runner = _Runner(running, registry)
    _pages(app, runner, registry)
    worker = faust.Worker(
        app, runner, loop=loop, loglevel="WARNING", redirect_stdouts=False, logging_config=_LOGGING, quiet=True
    )
    worker.spinner = None  # it writes control codes, also where nobody looks
    _leave_in_time(worker)
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else FAILED
        return FAILED if runner.failure is not None else code
    return FAILED if runner.failure is not None else 0


def _leave_in_time(worker: Any) -> None:  # noqa: ANN401 - faust's own
    """End the process when a stop takes too long, whatever the event loop does."""
    stop = worker._schedule_shutdown  # noqa: SLF001 - the one place that all signals come through

    def schedule(number: signal.Signals) -> None:
        timer = threading.Timer(STOP_S, os._exit, (STOPPED_LATE,))
        timer.daemon = True
        timer.start()
        stop(number)

    worker._schedule_shutdown = schedule  # noqa: SLF001


def _pages(app: faust.App, runner: _Runner, registry: CollectorRegistry) -> None:
    process = runner.process

    @app.page("/live")
    async def live(view: View, _request: Request) -> Response:
        return view.json({"live": True})

    @app.page("/ready")
    async def ready(view: View, _request: Request) -> Response:
        waits_for = dict(process.waits_for())
        answer = {
            "ready": not waits_for,
            "service": process.name,
            "partitions": sorted(process.held),
            "waits_for": waits_for,
        }
        return view.json(answer, status=503 if waits_for else 200)

    @app.page("/metrics")
    async def metrics_page(view: View, _request: Request) -> Response:
        return view.bytes(generate_latest(registry), content_type="text/plain; version=0.0.4")


_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
