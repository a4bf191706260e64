"""What axe finds wrong with a page, and whether all of it fits on a phone.

As a program of its own, as Playwright has an event loop and tests may have gevent's: PROGRAM URL… prints what
was found, as JSON, an object for each page.
"""

import json
import sys
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

PATIENCE_MS = 300_000
PHONE_PX, DESK_PX = 400, 1280
PAPER_PX = 718
"""A4 between its margins."""
_OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
_WIDTH = "document.documentElement.scrollWidth"
_CUT = """[...document.querySelectorAll("pre, .scroll")]
    .filter((one) => one.checkVisibility() && getComputedStyle(one).overflow !== "visible")
    .map((one) => one.outerHTML.slice(0, 80))"""


def violations(page: Page) -> list[str]:
    """A line for each rule that the page breaks as it is now, with the elements that do."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']} at {[node['target'] for node in each['nodes']]}" for each in found]


def launched(playwright: Playwright, program: str) -> Browser:
    """Chromium, without a window."""
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=PATIENCE_MS)


def listen(page: Page) -> list[str]:
    """What goes wrong in its scripts from now on, in a list that grows."""
    said: list[str] = []
    page.on(
        "console",
        lambda one: said.append(f"{one.text} {one.location}") if one.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def examined(browser: Browser, url: str) -> dict[str, Any]:
    """With everything unfolded, wide and dark. `width` is what it needs on a phone, `printed` on paper, where
    nothing that scrolls may be `cut` off."""
    page = browser.new_page(color_scheme="dark", viewport={"width": PHONE_PX, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    said = listen(page)
    page.goto(url)
    page.evaluate(_OPEN)
    width = page.evaluate(_WIDTH)
    page.set_viewport_size({"width": DESK_PX, "height": 900})
    found = violations(page)
    page.set_viewport_size({"width": PAPER_PX, "height": 900})
    page.emulate_media(media="print")
    cut, printed = page.evaluate(_CUT), page.evaluate(_WIDTH)
    page.close()
    return {"url": url, "violations": found, "said": said, "width": width, "printed": printed, "cut": cut}


def main() -> None:
    program, *urls = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = launched(playwright, program)
        print(json.dumps([examined(browser, url) for url in urls]))
        browser.close()


if __name__ == "__main__":
    main()
