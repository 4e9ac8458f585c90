"""The console in a real browser: live, on a desk and in a hand, by day and by night, with a keyboard."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from schemas.claims import ClaimFiled
from tests.e2e.browser import Console, console
from tests.unit.views.story import ALICE, HOUSE, Logs, whole_story

DESK, HAND = (1280, 800), (360, 740)
_CONTRAST = """
() => {
  const rgb = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = (text) => rgb(text)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const back = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll("h1, h2, p, a, th, td, .status, .space")].map((element) => {
    const text = light(getComputedStyle(element).color);
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    return [element.textContent.trim().slice(0, 40), ratio];
  });
}
"""


def look(
    folder: Path,
    question: Callable[[Console, Page, Logs], Awaitable[None]],
    size: tuple[int, int] = DESK,
    scheme: Literal["light", "dark"] = "light",
) -> None:
    """Open the console and ask something of the page; whatever the page complains about fails."""

    async def run() -> None:
        logs = await whole_story(Logs())
        async with console(folder, logs) as opened:
            width, height = size
            page = await opened.browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            await page.goto(opened.address)
            await question(opened, page, logs)
            assert complaints == []

    asyncio.run(run())


def test_live__what_is_decided_shows_without_loading_again(tmp_path: Path) -> None:
    async def question(opened: Console, page: Page, logs: Logs) -> None:
        await expect(page.get_by_role("heading", name="Adjudex")).to_be_visible()
        row = page.get_by_role("row", name="P.1/1")
        await expect(row.get_by_role("cell", name="paid", exact=True)).to_be_visible()
        await page.get_by_role("link", name="P.1/1", exact=True).focus()
        filed = ClaimFiled(
            claim="P.1/2",
            cover="P.1",
            incident="vault/1",
            claimant=ALICE,
            amount_minor=1_234_567,
            rulebook=HOUSE.id,
            evidence=(),
            product="vault",
            pool="P",
        )
        await logs.write("claims", "cover/P.1", filed)
        await opened.views.catch_up()
        fresh = page.get_by_role("row", name="P.1/2")
        await expect(fresh.get_by_role("cell", name="1\u202f234\u202f567")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("live")
        await expect(page.get_by_role("link", name="P.1/1", exact=True)).to_be_focused()

    look(tmp_path, question)


@pytest.mark.parametrize("size", [DESK, HAND], ids=["desk", "hand"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable__at_every_width_and_in_every_light(
    tmp_path: Path, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "the page scrolls sideways"
        ratios = await page.evaluate(_CONTRAST)
        assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == []
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        for name in ("Incidents", "Claims", "Pools"):
            await expect(page.get_by_role("region", name=name)).to_be_visible()

    look(tmp_path, question, size, scheme)


def test_told__to_whoever_listens_in_a_hand(tmp_path: Path) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        claims = page.get_by_role("region", name="Claims")
        await expect(claims.get_by_role("table")).to_be_visible()
        await expect(claims.get_by_role("rowheader", name="P.1/1")).to_be_visible()
        await expect(claims.get_by_role("columnheader", name="Approved")).to_have_count(1)

    look(tmp_path, question, HAND)


def test_keyboard__skips_to_what_is_live(tmp_path: Path) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="vault/1").first).to_be_focused()

    look(tmp_path, question)


def test_link__leads_to_the_row(tmp_path: Path) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        await page.get_by_role("link", name="P.1/1", exact=True).click()
        await page.wait_for_url("**/v1/claims/P.1/1")
        assert '"status":"paid"' in await page.content()

    look(tmp_path, question)
