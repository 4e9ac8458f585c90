"""Which partitions a process has: membership in a consumer group that reads nothing.

Every topic of a service has the same number of partitions, so one topic stands for all: the group shares its log's
partitions out, and whoever has number n owns n. What is owned is safe without the group: an owner that does not know
yet that it lost a partition is fenced by the next claim. So nothing stops while the group rearranges itself, and
nothing here is slow: the callback notes what was assigned and returns (docs/adr/0011-kafka.md).
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from . import clients
from .clients import ConsumerRebalanceListener, kafka_errors
from .settings import KafkaSettings

_log = structlog.get_logger(__name__)

SESSION_MS = 6_000
"""After how long without a heartbeat a member's partitions go to others: the least a broker allows by default."""
HEARTBEAT_MS = 1_500
_POLL_MS = 500
_AGAIN_S = 1.0


class Membership:
    """This process's place in the group `group`, whose members share the partitions of `topic`.

    `instance` makes it a static member: killed and started again within the session's time it has its partitions back
    at once, and nobody else's move. Two living processes must never have the same. `settled` is set as long as the
    group does not share its partitions out anew.
    """

    def __init__(self, settings: KafkaSettings, group: str, topic: str, instance: str | None = None) -> None:
        self.group = group
        self.topic = topic
        self.instance = instance
        self.partitions: frozenset[int] | None = None
        self.changed = asyncio.Event()
        self.settled = asyncio.Event()
        self._settings = settings

    def _assigned(self, partitions: Iterable[int]) -> None:
        self.partitions = frozenset(partitions)
        self.changed.set()
        self.settled.set()
        _log.info("assigned", group=self.group, partitions=sorted(self.partitions))

    async def run(self) -> None:
        """Be a member until cancelled; raises AuthorizationError."""
        while True:
            member = clients.member(
                self._settings, self.group, self.instance, session_ms=SESSION_MS, heartbeat_ms=HEARTBEAT_MS
            )
            try:
                member.subscribe([self.topic], listener=_Listener(self, member))
                await member.start()
                while True:
                    # A member that never asks for records is taken for stuck; all are paused, so none come.
                    await member.getmany(timeout_ms=_POLL_MS)
            except kafka_errors.KafkaError as error:
                refusal = clients.refusal_of(error, f"membership in group {self.group}")
                if refusal is not None:
                    raise refusal from error
                _log.warning("membership broke off", group=self.group, error=str(error))
            finally:
                await clients.close(member)
            await asyncio.sleep(_AGAIN_S)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what is assigned. aiokafka swallows what a callback raises, and sends no heartbeat while it runs."""

    def __init__(self, membership: Membership, member: Any) -> None:  # noqa: ANN401
        self._membership = membership
        self._member = member

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        """Go on with them: most come back, and whoever gets the others fences. But claim none anew until it is said."""
        self._membership.settled.clear()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        """Note them."""
        self._member.pause(*assigned)
        self._membership._assigned(place.partition for place in assigned)  # noqa: SLF001
