"""A PostgreSQL server of the tests' own: the system's programs, a folder in the temporary directory, no port.

It sorts text by the rules of a language unless told otherwise, so that whoever forgets to ask for the order of bytes
finds out.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

_ROLE = "adjudex"
_UNPRIVILEGED = ("postgres", "nobody")
_WHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_TODO = "install PostgreSQL (on Debian: apt install postgresql)"
_numbers = count(1)


class PostgresMissingError(RuntimeError):
    """The server's programs are not on this machine."""


def _programs() -> Path:
    """Return the folder of the newest server that is installed."""
    found = [Path(path).resolve().parent for name in ("initdb",) if (path := shutil.which(name))]
    for pattern in _WHERE:
        found += Path("/").glob(pattern[1:])
    whole = [folder for folder in found if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    if not whole:
        raise PostgresMissingError(f"tests of the read model need a PostgreSQL server: {_TODO}")
    return max(whole, key=lambda folder: [int(part) for part in folder.parts if part.isdecimal()])


class PostgresServer:
    """A running server, reached through a socket in its folder."""

    def __init__(self) -> None:
        self._programs = _programs()
        self.folder = Path(tempfile.mkdtemp(prefix="adjudex-pg-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            user = next(user for name in _UNPRIVILEGED if (user := _user(name)) is not None)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        atexit.register(self.stop)
        self._run(
            "initdb",
            *("--pgdata", "data", "--username", _ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-sync"),
            *("--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"),
        )
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off -c max_connections=50"
        )
        self._run("pg_ctl", "start", "--wait", "--pgdata", "data", "--log", "log", "--options", options)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
            **self._as,
        )
        if done.returncode:
            log = self.folder / "log"
            more = log.read_text(errors="replace") if log.exists() else ""
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}\n{more}")

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test{next(_numbers)}"
        self._run("createdb", "--host", str(self.folder), "--username", _ROLE, name)
        return f"postgresql+asyncpg://{_ROLE}@/{name}?host={quote(str(self.folder))}"

    def stop(self) -> None:
        """Stop it and delete its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--mode", "immediate", "--pgdata", "data")
        shutil.rmtree(self.folder, ignore_errors=True)


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


@cache
def postgres() -> PostgresServer:
    """Return a server that this process keeps for all its tests; raises PostgresMissingError."""
    return PostgresServer()
