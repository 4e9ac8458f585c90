"""Rights on a cluster follow the catalogue: what is added there is granted, and nothing else."""

import pytest

from schemas.topics import INPUTS, OWNED, SERVICES, TELLS
from services.cli.access import outsiders, rights
from services.registry import decision_services, new_space

_SPACE = new_space("main", 2)
_PUBLIC = [stream.name for stream in INPUTS if stream.name not in OWNED]


def _who(operation: str, topic: str, producers: list[str] | None = None) -> set[str]:
    held = rights(_SPACE, outsiders(_SPACE, producers or [], [], []))
    wanted = ("topic", operation, f"main.{topic}")
    return {acl.principal.removeprefix("User:") for acl in held if (acl.kind, acl.operation, acl.name) == wanted}


@pytest.mark.parametrize("stream", [stream.name for stream in INPUTS])
def test_a_public_stream_is_read_by_the_one_service_that_decides_it(stream: str) -> None:
    deciding = {service.name for service in decision_services() if stream in service.topics}
    assert len(deciding) == 1
    assert _who("read", stream) == deciding


@pytest.mark.parametrize("stream", _PUBLIC)
def test_a_public_stream_is_written_by_whom_it_is_granted(stream: str) -> None:
    assert _who("write", stream) == set()
    assert _who("write", stream, [f"app={stream}"]) == {"app"}


@pytest.mark.parametrize("stream", OWNED)
def test_an_owned_stream_is_written_by_its_owner(stream: str) -> None:
    assert _who("write", stream) == {OWNED[stream]}


@pytest.mark.parametrize("service", SERVICES)
def test_an_inbox_is_read_by_its_service__and_written_by_whoever_tells_it(service: str) -> None:
    assert _who("read", f"{service}.inbox") == {service}
    assert _who("write", f"{service}.inbox") == {service, *(name for name, told in TELLS.items() if service in told)}
