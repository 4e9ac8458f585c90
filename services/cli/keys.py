"""Private keys of principals: one file each, readable by its owner only."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.cli.console import OperationRefusedError

_SUFFIX = ".pem"


def create_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """Create a key pair; its private half goes to a new file with mode 0600 and nowhere else."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}{_SUFFIX}"
    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperationRefusedError(
            f"{name} has a key in {path}", "choose another name, or move that file away if the key is to be replaced"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """Spell the public half as governance registers it."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


class Keyring:
    """The keys of a data directory, read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, Ed25519PrivateKey] = {}

    def names(self) -> list[str]:
        """List whose keys there are."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def find(self, name: str) -> Ed25519PrivateKey | None:
        """Return a principal's private key, or None when there is none here."""
        if name not in self._held:
            if name not in self.names():
                return None
            path = self.folder / f"{name}{_SUFFIX}"
            try:
                key = load_pem_private_key(path.read_bytes(), None)
            except (ValueError, TypeError, OSError) as error:
                raise OperationRefusedError(f"{path} cannot be read: {error}", "restore it from a copy") from None
            if not isinstance(key, Ed25519PrivateKey):
                raise OperationRefusedError(f"{path} is no Ed25519 key", "make one with `adjudex key new`")
            self._held[name] = key
        return self._held[name]

    def items(self) -> Iterator[tuple[str, Ed25519PrivateKey]]:
        """Go through all keys by name."""
        for name in self.names():
            key = self.find(name)
            assert key is not None
            yield name, key


def registration(name: str, key: Ed25519PrivateKey, streams: Sequence[str], accounts: Sequence[str]) -> dict[str, Any]:
    """Build the input line by which governance registers a key."""
    public = public_hex(key)
    return {
        "stream": "governance.actions",
        "type": "principal.register.v1",
        "id": f"register-{name}-{public[:8]}",
        "content": {
            "principal": name,
            "public_key": public,
            "streams": list(streams),
            "accounts": "*" if "*" in accounts else list(accounts),
        },
    }
