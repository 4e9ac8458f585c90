"""What a line posts, and what is said of a line that posts nothing."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from schemas.adjudication import CastVote
from schemas.envelope import Record, decode
from services.cli.keys import Keyring, create_key, public_hex
from services.cli.lines import LineError, read_line
from services.kernel.decider import Principal
from services.kernel.partitioner import partition_of
from services.kernel.proofs import Sender, prove
from services.kernel.space import Space
from services.kernel.wire import read_input_headers

SPACE = Space("unit", 4)
ASSESSOR = "eip155:1:0x" + "e1" * 20
VOTE = {
    "stream": "assessor.votes",
    "type": "vote.cast.v1",
    "id": "v-1",
    "content": {"case": "claim/c/1", "assessor": ASSESSOR, "choice": "deny"},
}


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys")


def spelled(**changed: object) -> bytes:
    return json.dumps({**VOTE, **changed}).encode()


def test_line__posts_a_record_as_a_standard_producer_would(keyring: Keyring) -> None:
    posted = read_line(spelled(source="/bots/7"), SPACE, keyring)
    record = posted.record
    assert (posted.id, posted.made) == ("v-1", False)
    assert (record.topic, record.key) == ("assessor.votes", b"case/claim/c/1")
    assert record.partition == partition_of("case/claim/c/1", 4)
    assert decode("vote.cast.v1", record.value or b"") == CastVote(case="claim/c/1", assessor=ASSESSOR, choice="deny")
    headers = read_input_headers(Record(record.topic, 0, 1, 0, record.key, record.value, record.headers))
    assert (headers.id, headers.source, headers.type, headers.proof) == ("v-1", "/bots/7", "vote.cast.v1", None)


def test_line__without_id_gets_one_and_says_so(keyring: Keyring) -> None:
    line = json.dumps({name: held for name, held in VOTE.items() if name != "id"}).encode()
    first, second = read_line(line, SPACE, keyring), read_line(line, SPACE, keyring)
    assert first.made
    assert UUID(first.id).version == 4
    assert first.id != second.id


@pytest.mark.parametrize(
    ("changed", "key", "partition"),
    [
        ({"key": "case/other"}, b"case/other", partition_of("case/other", 4)),
        ({"partition": 3}, b"case/claim/c/1", 3),
        ({"key": "case/other", "partition": 0}, b"case/other", 0),
        ({"key": None, "partition": 0}, None, 0),
        ({"content": {}}, None, partition_of("v-1", 4)),
        ({"type": "nothing.v1"}, None, partition_of("v-1", 4)),
    ],
)
def test_line__key_and_partition(changed: dict[str, object], key: bytes, partition: int, keyring: Keyring) -> None:
    record = read_line(spelled(**changed), SPACE, keyring).record
    assert (record.key, record.partition) == (key, partition)


@pytest.mark.parametrize(
    ("raw", "value"), [("{", b"{"), ("", b""), ("é\u0000", "é\0".encode()), ("\udcff\udc80x", b"\xff\x80x")]
)
def test_raw__is_any_bytes(raw: str, value: bytes, keyring: Keyring) -> None:
    line = json.dumps({**{name: held for name, held in VOTE.items() if name != "content"}, "raw": raw}).encode()
    assert read_line(line, SPACE, keyring).record.value == value


def test_content__keeps_every_digit(keyring: Keyring) -> None:
    content = {"big": 2**300, "small": 0.1, "text": "\u2028 é"}
    assert json.loads(read_line(spelled(content=content), SPACE, keyring).record.value or b"") == content


def test_as__is_a_voucher_of_that_principal(keyring: Keyring) -> None:
    public = public_hex(create_key(keyring.folder, "gateway"))
    record = read_line(spelled(**{"as": "gateway"}), SPACE, keyring).record
    headers = read_input_headers(Record(record.topic, 0, 1, 0, record.key, record.value, record.headers))
    content = CastVote.model_validate_json(record.value or b"")
    principal = Principal("gateway", public, frozenset(["*"]), frozenset(["*"]))
    sender = prove(SPACE, {"gateway": principal}.get, record.topic, headers, content, record.value or b"")
    assert sender == Sender(ASSESSOR, "gateway")


def test_as__with_a_key_that_cannot_be_read_posts_nothing(keyring: Keyring) -> None:
    create_key(keyring.folder, "gateway")
    (keyring.folder / "gateway.pem").write_text("no key")
    with pytest.raises(LineError, match=r"gateway\.pem cannot be read") as error:
        read_line(spelled(**{"as": "gateway"}), SPACE, keyring)
    assert "a principal whose key can be read" in error.value.accepted


@pytest.mark.parametrize(
    ("line", "wrong", "accepted"),
    [
        (b"{", "it is not JSON: Expecting property name", "one JSON object a line"),
        (b"\xff", "it is not JSON: 'utf-8' codec can't decode", "one JSON object a line"),
        (b"[" * 100_000, "it is not JSON: maximum recursion depth", "one JSON object a line"),
        (b'{"stream": NaN}', "it is not JSON: NaN is no JSON number", "one JSON object a line"),
        (b"[1]", "it is JSON, but [1] is no object", "one JSON object a line"),
        (b"{}", "field stream is missing", "an object with stream"),
        (spelled(stream=7), "field stream is 7", "a string as stream"),
        (
            spelled(stream="votes"),
            'stream "votes" does not exist',
            "one of governance.actions, assessor.actions, incident.reports, ",
        ),
        (spelled(type=None), "field type is null", "a string as type"),
        (spelled(id=7), "field id is 7", "a string as id"),
        (spelled(content=[]), "field content is []", "an object as content"),
        (spelled(content="{}"), 'field content is "{}"', "an object as content"),
        (spelled(raw="x"), "both content and raw are there", "content, a JSON object, or else raw"),
        (spelled(raw="x", content=None), "field content is null", "an object as content"),
        (
            b'{"stream": "assessor.votes", "type": "x"}',
            "field content is missing",
            "content, a JSON object, or else raw",
        ),
        (spelled(partition=True), "field partition is true", "a whole number as partition"),
        (spelled(partition=4), "partition 4 does not exist", "0 to 3, or no partition"),
        (spelled(partition=-1), "partition -1 does not exist", "0 to 3, or no partition"),
        (spelled(key=7), "field key is 7", "a string or null as key"),
        (spelled(colour="red"), 'field "colour" means nothing here', "the fields stream, type, content, raw, id"),
        (
            spelled(**{"as": "ada"}),
            'there is no private key of "ada" in',
            "(none yet); `adjudex key new NAME` makes one",
        ),
        (spelled(id="\ud800"), "it holds half a character", "text of whole Unicode characters"),
        (spelled(content={"a": "\udfff"}), "it holds half a character", "text of whole Unicode characters"),
        (spelled(stream="s" * 500), 'stream "sssss', "one of governance.actions"),
    ],
)
def test_bad_line__says_what_is_wrong_and_what_would_be_accepted(
    line: bytes, wrong: str, accepted: str, keyring: Keyring
) -> None:
    with pytest.raises(LineError) as error:
        read_line(line, SPACE, keyring)
    assert wrong in str(error.value)
    assert accepted in error.value.accepted
    assert len(str(error.value)) < 300
