"""Where a read model is, as a URL: apart from what connects to it, so that nobody loads SQL to name it."""

from pathlib import Path


def sqlite_url(path: Path) -> str:
    """Return the URL of a read model in a file."""
    return f"sqlite+aiosqlite:///{path}"
