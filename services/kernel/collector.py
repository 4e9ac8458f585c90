"""The cyclic garbage collector in a process that lives long and answers at once: it is kept from what stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_paused: list[bool] = []
"""Whether it was at work before each block that is open; the first says it for all."""


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector, in a block or a decorated function, from going through what grows again and again.

    Where blocks overlap, as those of two tasks do, the last one to end lets it go on.
    """
    _paused.append(gc.isenabled())
    gc.disable()
    try:
        yield
    finally:
        enabled = _paused.pop()
        if enabled:
            gc.enable()


def keep() -> None:
    """Have it go through all that is there by now at most this once, and never again.

    Otherwise it does so now and then while inputs wait: for a tenth of a second and more in a process that has only
    just started, and for longer the more state there is. For that long a process that starts does not go through it
    even once: what imports leave behind is little.
    """
    if gc.get_freeze_count():
        gc.collect()
    gc.freeze()
