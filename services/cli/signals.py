"""How a command that runs until it is told to stop hears of that."""

import asyncio
import signal


def until_signal() -> asyncio.Event:
    """Return an event that SIGINT or SIGTERM sets."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
