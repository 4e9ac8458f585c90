"""The only door to aiokafka: how its clients are made, and what its errors mean.

aiokafka carries no types, so everything of it is Any here; nothing outside this package imports it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka import client as _client
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.producer import sender as _sender

from schemas.envelope import Outgoing, Record
from services.kernel.store import StoreError

from . import names
from .reasons import Reason, UnusableError, all_failed, reason_of
from .settings import KafkaSettings

__all__ = [
    "PARTITION_FETCH_BYTES",
    "AuthorizationError",
    "ConsumerRebalanceListener",
    "LostRecordsError",
    "NewTopic",
    "TopicPartition",
    "admin",
    "arrival",
    "close",
    "consumer",
    "epoch_of",
    "is_fence",
    "is_too_large",
    "kafka_errors",
    "learn",
    "member",
    "offsets_of",
    "partitions_of",
    "producer",
    "record_of",
    "records_of",
    "refusal_of",
    "send_batches",
    "transactional_producer",
]

_RETRY_BACKOFF_MS = 5
_BETWEEN_TRANSACTIONS_S = 0.002
_BATCH_BYTES = 900_000
PARTITION_FETCH_BYTES = 4_000_000
_CLOSE_S = 3.0
_RECONNECT_S = 0.2
_REPEATED_S, _MESSAGES_MAX = 10.0, 1_000

assert isinstance(_sender.BACKOFF_OVERRIDE, float), "aiokafka names its wait between transactions otherwise now"
# A transaction that follows another at once is answered ConcurrentTransactions until the markers of the one before
# are written, 1 or 2 ms later. aiokafka then waits 20 ms, and this constant is the only way to have it wait less:
# measured, 11,000 against 30,000 records a second.
_sender.BACKOFF_OVERRIDE = _BETWEEN_TRANSACTIONS_S

_AUTHORIZATION = (
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.GroupAuthorizationFailedError,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.TransactionalIdAuthorizationFailed,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.AuthenticationFailedError,
    UnusableError,
)
_FENCES = (kafka_errors.ProducerFenced, kafka_errors.InvalidProducerEpoch)
_TOO_LARGE = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)


class AuthorizationError(StoreError):
    """The cluster refuses this process a right that it needs: trying again cannot help, so the process ends."""


class LostRecordsError(StoreError):
    """Records that were there are gone, or a topic is another one: the partition stops before it decides on less."""


class _Quiet(logging.Filter):
    """Keeps out of the log what is normal with this client on Kafka 4, and for a while repeats of one message.

    While a broker is away, every client says so many times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if "NotEnoughReplicas" in record.getMessage():
            return False
        said, now = (record.levelno, str(record.msg)), time.monotonic()
        if now < self._said.get(said, 0.0):
            return False
        if len(self._said) > _MESSAGES_MAX:
            self._said.clear()
        self._said[said] = now + _REPEATED_S
        return True


for _name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "aiokafka"]:
    logging.getLogger(_name).addFilter(_Quiet())

names.install()
_connect = _client.create_conn
_bootstrap = _client.AIOKafkaClient.bootstrap
_failures: ContextVar[list[Reason]] = ContextVar("failures")
"""Why no address of a cluster could be connected to, as long as a client looks for one."""


async def _connect_unhurried(host: str, port: int, **kwargs: Any) -> Any:  # noqa: ANN401
    """Connect to a broker; when it is not there, wait a little before anybody tries again, and say why.

    aiokafka has no such wait: with the short one between requests above, the clients of a few processes keep a core
    busy with connecting, which the broker needs to come back.
    """
    try:
        return await _connect(host, port, **kwargs)
    except (OSError, TimeoutError, kafka_errors.KafkaError) as error:
        await asyncio.sleep(_RECONNECT_S)
        reason = reason_of(error, f"{host}:{port}", kwargs.get("security_protocol", "PLAINTEXT"))
        failures = _failures.get(None)
        if failures is not None:
            failures.append(reason)
        raise reason from error


async def _bootstrap_explained(client: Any) -> None:  # noqa: ANN401
    """Find a broker of the cluster that answers; else say why each does not."""
    failures: list[Reason] = []
    before = _failures.set(failures)
    try:
        await _bootstrap(client)
    except kafka_errors.KafkaConnectionError as error:
        protocol = client._security_protocol  # noqa: SLF001 - nothing public says it
        raise all_failed(failures, len(client.hosts), protocol) from error
    finally:
        _failures.reset(before)


_client.create_conn = _connect_unhurried
_client.AIOKafkaClient.bootstrap = _bootstrap_explained


def consumer(
    settings: KafkaSettings,
    *,
    committed: bool = True,
    wait_ms: int | None = None,
    partition_bytes: int = PARTITION_FETCH_BYTES,
) -> Any:  # noqa: ANN401
    """Make a consumer that is assigned its partitions by hand and never moves to another offset by itself.

    Its fetches wait at the broker for news as long as the settings say, or for `wait_ms`: a broker answers one request
    of a connection after the other, so whoever reads here and there must not leave one behind that waits. Of each
    partition a fetch brings at most `partition_bytes`, and one batch however large.
    """
    return AIOKafkaConsumer(
        **settings.client(),
        auto_offset_reset="none",
        enable_auto_commit=False,
        isolation_level="read_committed" if committed else "read_uncommitted",
        fetch_max_wait_ms=settings.fetch_wait_ms if wait_ms is None else wait_ms,
        max_partition_fetch_bytes=partition_bytes,
        retry_backoff_ms=_RETRY_BACKOFF_MS * 4,
    )


def member(settings: KafkaSettings, group: str, instance: str | None, *, session_ms: int, heartbeat_ms: int) -> Any:  # noqa: ANN401
    """Make a member of a consumer group, that only says which partitions this process has and reads nothing."""
    return AIOKafkaConsumer(
        **settings.client(),
        group_id=group,
        group_instance_id=instance,
        partition_assignment_strategy=(RangePartitionAssignor,),
        auto_offset_reset="latest",
        enable_auto_commit=False,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=heartbeat_ms,
        max_poll_interval_ms=300_000,
    )


def producer(settings: KafkaSettings) -> Any:  # noqa: ANN401
    """Make an idempotent producer without transactions: a record is stored by every in-sync replica, or it fails."""
    return AIOKafkaProducer(
        **settings.client(), enable_idempotence=True, acks="all", max_batch_size=_BATCH_BYTES,
        retry_backoff_ms=_RETRY_BACKOFF_MS * 4,
    )  # fmt: skip


def transactional_producer(settings: KafkaSettings, transactional_id: str) -> Any:  # noqa: ANN401
    """Make the producer of one log partition: starting it fences whoever had the same id."""
    return AIOKafkaProducer(
        **settings.client(),
        transactional_id=transactional_id,
        transaction_timeout_ms=settings.transaction_timeout_ms,
        acks="all",
        max_batch_size=_BATCH_BYTES,
        retry_backoff_ms=_RETRY_BACKOFF_MS,
    )


def admin(settings: KafkaSettings) -> Any:  # noqa: ANN401
    """Make an administrator's client."""
    return AIOKafkaAdminClient(**settings.client())


def epoch_of(started: Any) -> int:  # noqa: ANN401
    """Return a number that rises with every producer started under one transactional id."""
    manager = started._txn_manager  # noqa: SLF001 - aiokafka keeps producer id and epoch to itself
    return int(manager.producer_id) << 16 | int(manager.producer_epoch)


async def close(client: Any) -> None:  # noqa: ANN401
    """Close a client, whatever state it is in, within a few seconds."""
    stop = client.close if hasattr(client, "describe_configs") else client.stop
    with contextlib.suppress(Exception):
        await asyncio.wait_for(stop(), _CLOSE_S)


async def learn(client: Any, topics: Iterable[str]) -> None:  # noqa: ANN401
    """Have a consumer or producer ask for several topics at once: of those it does not know it asks one by one."""
    inner = client._client if hasattr(client, "_client") else client.client  # noqa: SLF001
    unknown = [topic for topic in topics if inner.cluster.partitions_for_topic(topic) is None]
    for topic in unknown:
        inner.add_topic(topic)
    if unknown:
        await inner.force_metadata_update()


async def partitions_of(client: Any, topic: str) -> frozenset[int]:  # noqa: ANN401
    """Return the partitions of a topic, once a broker knows it: one that was just created is unknown for a moment."""
    return frozenset(await client._client._wait_on_metadata(topic) or ())  # noqa: SLF001 - consumers only say it of what they have seen


async def arrival(readers: Iterable[Any], timeout_s: float) -> None:
    """Wait until one of some consumers holds records that were not taken yet, or time is up."""
    # Nothing public says that records are there without taking them.
    fetchers = [reader._fetcher for reader in readers]  # noqa: SLF001
    if timeout_s <= 0 or any(fetcher._records for fetcher in fetchers):  # noqa: SLF001
        await asyncio.sleep(0)
        return
    waiters = [fetcher._create_fetch_waiter() for fetcher in fetchers]  # noqa: SLF001
    try:
        await asyncio.wait(waiters, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def send_batches(
    sender: Any,  # noqa: ANN401
    topic: str,
    partition: int,
    records: Iterable[tuple[Outgoing, int]],
) -> list[tuple["asyncio.Future[Any]", int]]:
    """Hand the records of one topic partition over in as few batches as hold them: each one's future, and its size.

    Each record comes with its time, which counts only where the topic does not stamp records itself.
    """
    sent = []
    batch = sender.create_batch()
    count = 0
    for record, timestamp in records:
        fields = {"timestamp": timestamp, "key": record.key, "value": record.value, "headers": list(record.headers)}
        if batch.append(**fields) is None:
            sent.append((await sender.send_batch(batch, topic, partition=partition), count))
            batch, count = sender.create_batch(), 0
            batch.append(**fields)
        count += 1
    sent.append((await sender.send_batch(batch, topic, partition=partition), count))
    return sent


def record_of(topic: str, fetched: Any) -> Record:  # noqa: ANN401
    """Turn what a consumer got into a record of `topic`, the name without its prefix."""
    headers = tuple(fetched.headers)
    if None in [value for _, value in headers]:  # a sender may write a header without a value
        headers = tuple((name, value or b"") for name, value in headers)
    return Record(topic, fetched.partition, fetched.offset, fetched.timestamp, fetched.key, fetched.value, headers)


def records_of(topic: str, fetched: Sequence[Any]) -> list[Record]:
    """Turn a batch a consumer got into records of `topic`."""
    return [record_of(topic, one) for one in fetched]


def is_fence(error: BaseException | None) -> bool:
    """Tell whether somebody else has claimed since (or the broker aborted a transaction that took too long)."""
    return _meant(error, _FENCES)


def is_too_large(error: BaseException | None) -> bool:
    """Tell whether a batch was refused for its size."""
    return _meant(error, _TOO_LARGE)


def refusal_of(error: BaseException | None, doing: str) -> AuthorizationError | None:
    """Return what to raise when the cluster refuses a right, None when the error is another."""
    if not _meant(error, _AUTHORIZATION):
        return None
    if isinstance(error, UnusableError):
        return AuthorizationError(f"{doing}: {error}")
    text = (
        f"the cluster refuses {doing}: {type(error).__name__} {error}; `adjudex topics plan --acls` lists the rights "
        f"of each service, `adjudex topics apply --acls` grants them"
    )
    return AuthorizationError(text)


def _meant(error: BaseException | None, kinds: tuple[type[BaseException], ...]) -> bool:
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__
    return False


def offsets_of(positions: Mapping[str, int], partition: int) -> dict[Any, int]:
    """Spell offsets for a consumer group."""
    return {TopicPartition(topic, partition): offset for topic, offset in positions.items()}
