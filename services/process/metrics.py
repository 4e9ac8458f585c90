"""What `/metrics` says, read from the running process when it is asked."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services.kernel.kafka.process import EngineSubject, Process
from services.process.assembly import RelaySubject

_TRANSACTION_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
_LABELS = ("service", "partition")


def transaction_times(registry: CollectorRegistry, service: str) -> Histogram:
    """Make the histogram of how long a service's transactions take."""
    times = Histogram(
        "adjudex_transaction_seconds", "Time of a transaction", ("service",), buckets=_TRANSACTION_S, registry=registry
    )
    return times.labels(service)


class ProcessCollector(Collector):
    """Reads a process: what was decided, what waits, how far recovery is. Counts begin with the process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def collect(self) -> Iterable[Metric]:
        """Make every metric anew."""
        fates = CounterMetricFamily(
            "adjudex_inputs", "Inputs and deadlines by what became of them", labels=(*_LABELS, "fate")
        )
        oldest = GaugeMetricFamily(
            "adjudex_oldest_undecided_seconds", "Age of the oldest undecided input; 0 when none waits", labels=_LABELS
        )
        read = GaugeMetricFamily("adjudex_recovery_records", "Log records read by the last recovery", labels=_LABELS)
        end = GaugeMetricFamily("adjudex_recovery_end", "Where the log ended when it began", labels=_LABELS)
        ready = GaugeMetricFamily("adjudex_partition_ready", "1 when nothing is waited for", labels=_LABELS)
        published = CounterMetricFamily("adjudex_relayed_records", "Log records relayed", labels=_LABELS)
        for number, held in self._process.held.items():
            where, subject = [self._process.name, str(number)], held.subject
            ready.add_metric(where, 0.0 if held.waits_for else 1.0)
            if isinstance(subject, RelaySubject):
                published.add_metric(where, subject.published)
            elif isinstance(subject, EngineSubject):
                engine = subject.engine
                for fate, count in sorted(engine.fates.items()):
                    fates.add_metric([*where, fate], count)
                at = engine.oldest_undecided()
                oldest.add_metric(where, 0.0 if at is None else max(subject.store.now() - at, 0) / 1_000)
                read.add_metric(where, engine.recovered_events)
                end.add_metric(where, engine.recovery_end)
        return (fates, oldest, read, end, ready, published)
