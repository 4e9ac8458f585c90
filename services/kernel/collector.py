"""The cyclic garbage collector in a process that lives long and answers at once: it is kept from what stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector, in a block or a decorated function, from going through what grows again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def keep() -> None:
    """Have it go through all that is there by now this once, and never again.

    Otherwise it does so now and then while inputs wait: for a tenth of a second and more in a process that has only
    just started, and for longer the more state there is.
    """
    gc.collect()
    gc.freeze()
