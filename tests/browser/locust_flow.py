"""A person at Locust's page, a program of its own: Playwright has an event loop, and tests may have gevent's.

Prints what was seen, as JSON: URL PROGRAM [FOLDER for pictures].
"""

import json
import sys
from pathlib import Path
from typing import Any

from examined import DESK_PX, PATIENCE_MS, PHONE_PX, launched, listen, violations
from playwright.sync_api import Page, sync_playwright

WIDE_PX = 1920


def flow(page: Page, url: str, pictures: Path | None) -> dict[str, Any]:
    seen: dict[str, Any] = {"violations": []}

    def examine(name: str) -> None:
        seen["violations"] += [f"{name}: {line}" for line in violations(page)]
        if pictures is not None:
            for width in (PHONE_PX, DESK_PX, WIDE_PX):
                for scheme in ("light", "dark"):
                    page.set_viewport_size({"width": width, "height": 900})
                    page.emulate_media(color_scheme=scheme)
                    page.screenshot(path=pictures / f"{name}-{width}-{scheme}.png", full_page=True)

    page.goto(url)
    page.get_by_role("link", name="Chatproof live").click()
    for field, value in (("Users (each", "4"), ("Connections a cohort", "20"), ("Users begun", "8")):
        page.get_by_label(field).fill(value)
    page.get_by_label("Scenario").select_option("Chat")
    page.get_by_label("Fault proxies").check()
    page.get_by_role("button", name="Start").click()
    page.locator("#phase", has_text="under load").wait_for()
    page.get_by_label("Value").fill("50ms")
    page.get_by_role("button", name="Switch on").click()
    page.locator("rect[data-fault=latency]").first.wait_for(state="attached")
    page.get_by_role("button", name="Switch off latency").focus()
    page.keyboard.press("Enter")
    page.locator("#faults li", has_text="over").wait_for()
    seen["fault"] = page.locator("#faults li").inner_text()
    page.set_viewport_size({"width": PHONE_PX, "height": 800})
    seen["width"] = page.evaluate("document.documentElement.scrollWidth")
    examine("running")
    page.get_by_role("button", name="Stop the run").click()
    report = page.get_by_role("link", name="Open the report")
    report.wait_for()
    seen["live"] = page.evaluate("fetch('live').then((answer) => answer.json())")
    seen["shown"] = {
        name: page.locator(f"#{name}").inner_text() for name in ("sent", "acked", "delivered", "overdue")
    }
    seen["verdict"] = page.locator("#verdict").inner_text()
    examine("over")
    report.click()
    page.wait_for_load_state()
    seen["title"] = page.title()
    seen["command"] = page.get_by_label("Command that repeats the run").inner_text()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    examine("report")
    return seen


def main() -> None:
    url, program, *folder = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = launched(playwright, program)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        said = listen(page)
        seen = flow(page, url, Path(folder[0]) if folder else None)
        browser.close()
    print(json.dumps(seen | {"said": said}))


if __name__ == "__main__":
    main()
