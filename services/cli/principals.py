"""`adjudex key`: making and listing key pairs."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from schemas.topics import INPUTS, OWNED
from services.cli.console import FINE, Console, OperationRefusedError, table
from services.cli.keys import Keyring, create_key, public_hex, registration

_ROOT = OWNED["governance.actions"]
_STREAMS = tuple(stream.name for stream in INPUTS)


def new(folder: Path, name: str, console: Console, *, streams: Sequence[str], accounts: Sequence[str]) -> int:
    """Make a key pair and say how governance comes to know it."""
    if name in OWNED.values() and name != _ROOT:
        owned = ", ".join(stream for stream, owner in OWNED.items() if owner == name)
        raise OperationRefusedError(f"{name} needs no key: it alone writes {owned}", "choose another name")
    unknown = [stream for stream in streams if stream not in (*_STREAMS, "*")]
    if unknown:
        raise OperationRefusedError(f"there is no stream {', '.join(unknown)}", f"choose from {', '.join(_STREAMS)}")
    key = create_key(folder, name)
    content: dict[str, object] = {"principal": name, "public_key": public_hex(key), "folder": str(folder)}
    lines = [*table([("principal", name), ("public key", public_hex(key)), ("private key in", str(folder))]), ""]
    if name == _ROOT:
        lines += ["A new space knows it as its root by:", f"adjudex up --root-key {public_hex(key)}"]
    else:
        line = registration(name, key, streams or [held for held in _STREAMS if held not in OWNED], accounts)
        content["register"] = line
        lines += ["Governance registers it by this input line:", orjson.dumps(line).decode()]
    console.put(content, *lines)
    return FINE


def list_all(folder: Path, console: Console) -> int:
    """List the key pairs of a data directory."""
    rows = [(name, public_hex(key)) for name, key in Keyring(folder).items()]
    if console.as_json:
        for name, public in rows:
            console.put({"principal": name, "public_key": public})
    else:
        console.put({}, *(table(rows) or [f"no keys in {folder}; `adjudex key new NAME` makes one"]))
    return FINE
