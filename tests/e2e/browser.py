"""The distribution's Chromium, driven by Playwright, on a portal that tells the story."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, async_playwright

from services.portal.app import Serving, create_app
from services.views.running import Views
from tests.unit.views.reading import views_of
from tests.unit.views.story import Logs

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class BrowserMissingError(RuntimeError):
    """There is no Chromium on this machine."""


def chromium() -> str:
    """Return the path of the browser; raises BrowserMissingError."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise BrowserMissingError("tests of the console need Chromium: install it (on Debian: apt install chromium)")


class Console(NamedTuple):
    address: str
    browser: Browser
    views: Views


@asynccontextmanager
async def console(folder: Path, logs: Logs) -> AsyncIterator[Console]:
    """Serve the console over logs, and open a browser."""
    path = chromium()
    async with views_of(logs, folder) as views:
        await views.catch_up()
        serving = Serving(create_app(views.model), "127.0.0.1", 0)
        address = await serving.start()
        try:
            async with async_playwright() as playwright:
                # Root has no sandbox; the pages are our own.
                alone = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = await playwright.chromium.launch(executable_path=path, args=alone)
                try:
                    yield Console(address, browser, views)
                finally:
                    await browser.close()
        finally:
            await serving.stop()
