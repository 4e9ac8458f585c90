"""The console in a real browser: live, on a desk and in a hand, by day and by night, with a keyboard."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from schemas.claims import ClaimAllocated, ClaimApproved, ClaimFiled, ClaimPaid, CoverRegistered
from schemas.instants import DAY
from schemas.pools import CapitalDeposited, PoolOpened
from tests.e2e.browser import Console, console
from tests.unit.views.story import ALICE, HOUSE, PAYOUT_TERMS, TERMS, USDC, Logs, postings, step, whole_story

DESK, HAND = (1280, 800), (360, 740)
SIZES = {"desk": DESK, "hand": HAND, "tablet": (768, 1024), "between": (900, 1200), "across": (1024, 768)}
_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_LINES = """
links => links.map(link => {
  const range = document.createRange();
  range.selectNodeContents(link);
  return [link.textContent, new Set([...range.getClientRects()].map(({ top }) => top)).size];
})
"""
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
    harbor: tuple[str, int] | None = None,
) -> None:
    """Open the console and ask something of the page; whatever the page complains about fails."""

    async def run() -> None:
        logs = await whole_story(Logs())
        if harbor:
            await pay_in_part(logs, *harbor)
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


async def pay_in_part(logs: Logs, pool: str, amount: int) -> None:
    """Tell of a pool of that name and of a claim of that amount on its first cover, which it pays but for a tenth."""
    cover, now, paid = pool if len(pool) > 50 else f"{pool}.1", logs.clock.now(), amount - amount // 10
    pool, key = pool[:50], f"cover/{cover}"
    claim, payout = f"{cover}/1", f"{cover}/1/1"
    deposited = CapitalDeposited(
        pool=pool,
        provider=ALICE,
        tranche="junior",
        amount_minor=amount,
        transaction="harbor",
        shares_minor=amount,
        tranche_shares_minor=amount,
        share_bps=10_000,
        postings=postings(("cash", amount), ("capital:junior", -amount)),
    )
    opened = PoolOpened(pool=pool, title="Harbor pool", asset=USDC, terms=TERMS)
    await logs.write("pools", f"pool/{pool}", opened, deposited)
    about = {"claim": claim, "cover": cover, "incident": "vault/1", "pool": pool}
    asked = {"payout": payout, "recipient": ALICE, "asset": USDC, "payout_terms": PAYOUT_TERMS}
    registered = CoverRegistered(
        cover=cover,
        product="vault",
        holder=ALICE,
        amount_minor=amount,
        asset=USDC,
        starts_at=now,
        expires_at=now + 30 * DAY,
        rulebook=HOUSE.id,
        pool=pool,
        premium_minor=10,
        claimable_until=now + 60 * DAY,
    )
    for event in (
        registered,
        ClaimFiled.model_validate(
            {
                **about,
                "claimant": ALICE,
                "amount_minor": amount,
                "rulebook": HOUSE.id,
                "evidence": (),
                "product": "vault",
            }
        ),
        ClaimApproved.model_validate(
            {
                **about,
                **asked,
                "payout": None,
                "amount_minor": amount,
                "rulebook": HOUSE.id,
                "arithmetic": step("a", amount),
            }
        ),
        ClaimAllocated.model_validate(
            {
                **about,
                **asked,
                "amount_minor": paid,
                "allocated_minor": paid,
                "deferred_minor": amount - paid,
                "arithmetic": step("a", paid),
            }
        ),
        ClaimPaid(
            claim=claim, payout=payout, amount_minor=paid, remaining_minor=amount - paid, unpaid_minor=amount - paid
        ),
    ):
        await logs.write("claims", key, event)


def test_live__what_is_decided_shows_without_loading_again(tmp_path: Path) -> None:
    async def question(opened: Console, page: Page, logs: Logs) -> None:
        await expect(page.get_by_role("heading", name="Adjudex")).to_be_visible()
        row = page.get_by_role("row", name="P.1/1")
        await expect(row.get_by_role("cell", name="paid", exact=True)).to_be_visible()
        foot = page.get_by_role("contentinfo")
        before = await foot.inner_text()
        assert "claims.events/" in before
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
        await expect(foot).to_contain_text("claims.events/")
        assert await foot.inner_text() != before
        await expect(page.get_by_role("link", name="P.1/1", exact=True)).to_be_focused()

    look(tmp_path, question)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable__at_every_width_and_in_every_light(tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        for name, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate(_WIDE) <= 0, f"the page scrolls sideways: {name}"
            lines = await page.eval_on_selector_all("tbody th a", _LINES)
            assert ["harbor-pool.1/1", 1] in lines, name
            ratios = await page.evaluate(_CONTRAST)
            assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == [], name
            for region in ("Incidents", "Claims", "Pools"):
                await expect(page.get_by_role("region", name=region)).to_be_visible()
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")

    look(tmp_path, question, scheme=scheme, harbor=("harbor-pool", 42_000_000_000))


def test_fits__what_is_as_long_as_can_be(tmp_path: Path) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        too_wide = {}
        for width in (*range(320, 1601, 32), 1265):
            await page.set_viewport_size({"width": width, "height": 800})
            if (over := await page.evaluate(_WIDE)) > 0:
                too_wide[width] = over
        assert too_wide == {}

    look(tmp_path, question, harbor=("W" * 64, 2**128 - 1))


def test_amounts__say_of_what(tmp_path: Path) -> None:
    async def question(_: Console, page: Page, __: Logs) -> None:
        row = page.get_by_role("row", name="P.1/1")
        await expect(row.get_by_title(USDC)).to_be_visible()
        await expect(page.get_by_role("region", name="Claims")).to_contain_text("base units of the asset")

    look(tmp_path, question)


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
