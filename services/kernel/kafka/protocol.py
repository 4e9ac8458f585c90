"""Requests that aiokafka has no call for, spelled as Kafka's protocol defines them; only `admin` sends them."""

from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

_text = String("utf-8")
_compact = CompactString("utf-8")


class _AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("resources", Array(("code", Int16), ("message", _text), ("kind", Int8), ("name", _text))),
    )


class _Alter(RequestStruct):  # type: ignore[misc]
    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("kind", Int8),
                ("name", _text),
                ("settings", Array(("name", _text), ("operation", Int8), ("value", _text))),
            ),
        ),
        ("validate_only", Boolean),
    )


class AlterSettings(Request[_Alter]):  # type: ignore[misc]
    """Sets some settings and leaves all others: aiokafka's own request would put the others back to their defaults."""

    API_KEY = 44

    def __init__(self, kind: int, name: str, settings: dict[str, str]) -> None:
        self._resources = [(kind, name, [(key, 0, value) for key, value in settings.items()])]

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401
        """Make the request."""
        return request_struct_class(self._resources, False)  # noqa: FBT003 - positional in the protocol


class CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """Creates many rights at once: kind, name, pattern, principal, host, operation, permission of each."""

    API_KEY = 30

    def __init__(self, creations: list[tuple[int, str, int, str, str, int, int]]) -> None:
        self._creations = creations

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401
        """Make the request."""
        return request_struct_class(self._creations)


class _FeaturesResponse(Response):  # type: ignore[misc]
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("code", Int16),
        ("versions", CompactArray(("key", Int16), ("low", Int16), ("high", Int16), ("tags", TaggedFields))),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class _Features(RequestStruct):  # type: ignore[misc]
    API_KEY = 18
    API_VERSION = 3
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _FeaturesResponse
    SCHEMA = Schema(("software", _compact), ("release", _compact), ("tags", TaggedFields))

    def parse_response_header(self, read_buffer: Any) -> Any:  # noqa: ANN401
        """Read the header: this answer alone keeps the old one, whatever its version."""
        return ResponseHeader_v0.decode(read_buffer)


class Features(Request[_Features]):  # type: ignore[misc]
    """Asks what the cluster's release can do; the answer's tags hold it (see `feature_levels`)."""

    API_KEY = 18

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401
        """Make the request."""
        return request_struct_class("adjudex", "1", {})


SUPPORTED, FINALIZED = 0, 2
"""Tags of an answer to Features: what the broker could do, what the cluster has agreed on."""
FEATURE_LEVELS = CompactArray(("name", _compact), ("one", Int16), ("other", Int16), ("tags", TaggedFields))
"""Content of either tag: of each feature its lowest and highest level, in one order or the other."""

_REPLICAS = CompactArray(
    ("id", Int32), ("end", Int64), ("fetched_at", Int64), ("caught_up_at", Int64), ("tags", TaggedFields)
)


class _QuorumResponse(Response):  # type: ignore[misc]
    API_KEY = 55
    API_VERSION = 1
    SCHEMA = Schema(
        ("code", Int16),
        (
            "topics",
            CompactArray(
                ("name", _compact),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("code", Int16),
                        ("leader", Int32),
                        ("epoch", Int32),
                        ("high", Int64),
                        ("voters", _REPLICAS),
                        ("observers", _REPLICAS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Quorum(RequestStruct):  # type: ignore[misc]
    API_KEY = 55
    API_VERSION = 1
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _QuorumResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("name", _compact),
                ("partitions", CompactArray(("partition", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class Quorum(Request[_Quorum]):  # type: ignore[misc]
    """Asks the controllers how far each is: the leader says of itself what its clock shows at that moment."""

    API_KEY = 55

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401
        """Make the request."""
        return request_struct_class([("__cluster_metadata", [(0, {})], {})], {})
