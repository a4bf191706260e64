"""The pictures of these pages, taken from real runs: `python docs/site/pictures.py`, some five minutes.

Needs chromium. Each is written to docs/images, in as few colours as it takes.
"""

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from chatproof.panel import panel
from chatproof.status import Pace, Status
from reactor import sockets

IMAGES = Path(__file__).parent.parent / "images"
SMALL = (
    "--scenario", "chat", "--connections", "300", "--rate", "90", "--duration", "20s", "--ramp", "2s",
    "--heartbeat", "5", "--processes", "2", "--set", "cohort=20",
)  # fmt: skip
BEATING = (
    "--scenario", "heartbeat", "--connections", "2000", "--rate", "0", "--duration", "15s", "--ramp", "2s",
    "--heartbeat", "10",
)  # fmt: skip
LOSS, DELAY = "frame_loss=3% at 6s for 5s", "latency=150ms±50ms at 8s for 8s"
RUNS = 4
_TRIES = 3
_PATIENCE_MS = 120_000
_FAULT_SHOWS_MS = 5_000
_COLOURS = 96
_FONT = re.compile(r"@font-face\s*{[^}]*}\s*")


def main() -> None:
    """Runs that are alike and runs of a slower server; every picture from them."""
    with tempfile.TemporaryDirectory(prefix="chatproof-pictures-") as work:
        folder, apart = Path(work) / "series", Path(work) / "apart"
        told = [_run(folder / f"good-{nth}", nth) for nth in range(1, RUNS + 1)]
        slow = Path(work) / "slow.toml"
        slow.write_text('name = "default"\n[target]\npace = 0.06\naccess_processes = 1\n')
        for nth in range(1, RUNS + 1):
            _run(folder / f"slow-{nth}", nth, str(slow))
        _panel(told[0])
        with _opened((folder / "good-1" / "report.html").as_uri(), 1000) as page:
            _keep(page.screenshot(), "report.png")
        _chatproof("run", *BEATING, "--out", str(apart / "beating"))
        with _opened((apart / "beating" / "report.html").as_uri(), 1000) as page:
            _keep(page.locator("section:has(.planner)").screenshot(), "capacity.png")
        _live(apart / "live")
        sides = [str(folder / f"{side}-{nth}") for side in ("good", "slow") for nth in range(1, RUNS + 1)]
        comparison, history = folder / "compare.html", folder / "history.html"
        _chatproof("compare", "--base", *sides[:RUNS], "--new", *sides[RUNS:], "--out", str(comparison))
        _chatproof("history", str(folder), "--out", str(history))
        for made, height in ((comparison, 760), (history, 720)):
            with _opened(made.as_uri(), height) as page:
                _keep(page.screenshot(), f"{made.stem}.png")


def _run(out: Path, seed: int, *plan: str) -> list[Status]:
    """What a run told of itself each second; again where the machine had something else to do."""
    for _ in range(_TRIES):
        done = _chatproof(
            "run", *plan, *SMALL, "--fault", LOSS, "--seed", str(seed), "--out", str(out), "--json"
        )
        if done.returncode == 0 and json.loads(done.stdout)["latency_valid"]:
            break
        shutil.rmtree(out, ignore_errors=True)
    else:
        raise SystemExit(f"no undisturbed run: {done.stderr.splitlines()[-1:]}")
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return [
        Status(
            told["phase"],
            told["elapsed_s"],
            {
                key: value
                for key, value in told.items()
                if key not in ("phase", "elapsed_s", "p99_ms", "faults")
            },
            told["p99_ms"],
            told["faults"],
        )
        for told in lines
    ]


def _chatproof(*words: str) -> "subprocess.CompletedProcess[str]":
    print("chatproof", *words, file=sys.stderr)
    return subprocess.run(
        [sys.executable, "-m", "chatproof", *words], capture_output=True, text=True, check=False
    )


def _panel(told: list[Status]) -> None:
    """As it was while the fault was on."""
    pace = Pace()
    console = Console(record=True, width=92, force_terminal=True, file=sys.stderr)
    shown = next(nth for nth, status in enumerate(told) if status.faults) + 2
    for status in told[: shown + 1]:
        pace.look(status, status.elapsed_s)
    console.print(panel(told[shown], pace))
    drawn = console.export_svg(title="chatproof run")
    # Its fonts would come from the network.
    (IMAGES / "panel.svg").write_text(_FONT.sub("", drawn))


def _live(out: Path) -> None:
    """The page of a run while a fault is on."""
    kept = sockets.reserve("127.0.0.1")
    port = str(kept.getsockname()[1])
    command = [sys.executable, "-m", "chatproof", "run", *SMALL, "--fault", DELAY, "--no-report"]
    print(*command[2:], file=sys.stderr)
    with subprocess.Popen(
        [*command, "--web-port", port, "--out", str(out)], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        next(line for line in run.stdout if line.startswith("page "))
        with _opened(f"http://127.0.0.1:{port}/chatproof/", 1180) as page:
            page.locator("#faults li", has_text=": on").wait_for(timeout=_PATIENCE_MS)
            page.wait_for_timeout(_FAULT_SHOWS_MS)
            _keep(page.screenshot(), "live.png")
        run.communicate()
    kept.close()


@contextmanager
def _opened(url: str, height: int) -> Iterator[Page]:
    """A page in a browser, 1,280 wide."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or "chromium"
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": height})
        page.goto(url)
        yield page
        browser.close()


def _keep(drawn: bytes, name: str) -> None:
    with Image.open(io.BytesIO(drawn)) as image:
        few = image.convert("RGB").quantize(_COLOURS)
    few.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
