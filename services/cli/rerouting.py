"""`adjudex reroute`: what a service's log would have sent to a receiver that was added later, sent to it now."""

from collections.abc import Iterator, Sequence

from schemas.envelope import Event, Outgoing, Record
from schemas.instants import parse_instant
from schemas.topics import SERVICES, TELLS
from services.cli.console import FINE, Console, OperationRefusedError
from services.cli.data import DataDirectory, SpaceStore
from services.cli.render import detail, headline
from services.cli.trace import content_of, headers_of
from services.kernel.decider import Decided, DecisionService
from services.kernel.records import KERNEL_EVENTS
from services.kernel.routing import messages
from services.kernel.space import Space
from services.registry import decision_service

_BATCH = 500


async def reroute(data: DataDirectory, service_name: str, receiver: str, console: Console, *, dry_run: bool) -> int:
    """Send what is missing, in the order of the log; returns the exit code."""
    service = _service(service_name, receiver)
    async with data.owning() as (space, store):
        there = await _there(space, store, receiver)
        sent, skipped = 0, 0
        for partition in range(space.partitions):
            missing: list[Outgoing] = []
            async for records in store.read(service.log, partition, 1):
                for message in sent_to(space, service, receiver, records):
                    if dict(message.headers)["ce_id"] in there:
                        skipped += 1
                    else:
                        missing.append(message)
                        sent += 1
                while len(missing) >= _BATCH and not dry_run:
                    await store.append(missing[:_BATCH])
                    missing = missing[_BATCH:]
            if missing and not dry_run:
                await store.append(missing)
    content = {"service": service.name, "to": receiver, "sent": sent, "there_before": skipped, "dry_run": dry_run}
    what = "would send" if dry_run else "sent"
    lines = headline("rerouted", f"{service.name} to {receiver}: {what} {sent:,} messages")
    console.put(content, *lines, *detail("before", f"{skipped:,} were in its inbox already"))
    return FINE


def sent_to(
    space: Space, service: DecisionService[object], receiver: str, records: Sequence[Record]
) -> Iterator[Outgoing]:
    """Make what log records send to a receiver: the same bytes, ids included, as when they were decided."""
    for record in records:
        event, headers = content_of(record), headers_of(record)
        if not isinstance(event, Event) or isinstance(event, KERNEL_EVENTS):
            continue
        since = parse_instant(headers.get("ce_since", headers["ce_time"]))
        decided = Decided((record.key or b"").decode(), int(headers["ce_sequence"]), since, event)
        made = messages(space, service, decided, headers["ce_id"], headers["ce_correlationid"])
        yield from (message for message in made if message.topic == f"{receiver}.inbox")


def _service(name: str, receiver: str) -> DecisionService[object]:
    if name not in SERVICES:
        raise OperationRefusedError(f"there is no service {name}", f"one of {', '.join(SERVICES)}")
    if receiver not in TELLS[name]:
        raise OperationRefusedError(f"{name} sends {receiver} nothing", f"it tells {', '.join(TELLS[name])}")
    return decision_service(name)


async def _there(space: Space, store: SpaceStore, receiver: str) -> set[bytes]:
    """Collect the ids of everything that is in the receiver's inbox."""
    ids: set[bytes] = set()
    for partition in range(space.partitions):
        async for records in store.read(f"{receiver}.inbox", partition, 1):
            ids.update(value for record in records for name, value in record.headers if name == "ce_id")
    return ids
