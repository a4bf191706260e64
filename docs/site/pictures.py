"""The pictures of these pages, taken from real runs: `python docs/site/pictures.py`, some five minutes.

Needs chromium. Each is written to docs/images, in as few colours as it takes.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console

from chatproof.panel import panel
from chatproof.status import Pace, Status

IMAGES = Path(__file__).parent.parent / "images"
SMALL = (
    "--scenario", "chat", "--connections", "300", "--rate", "90", "--duration", "20s", "--ramp", "2s",
    "--heartbeat", "5", "--processes", "2", "--set", "cohort=20", "--fault", "frame_loss=3% at 6s for 5s",
)  # fmt: skip
RUNS = 4
_TRIES = 3
_COLOURS = 96
_FONT = re.compile(r"@font-face\s*{[^}]*}\s*")


def main() -> None:
    """Runs that are alike and runs of a slower server; every picture from them."""
    with tempfile.TemporaryDirectory(prefix="chatproof-pictures-") as work:
        folder = Path(work)
        told = [_run(folder / f"good-{nth}", nth) for nth in range(1, RUNS + 1)]
        slow = folder / "slow.toml"
        slow.write_text('name = "default"\n[target]\npace = 0.06\naccess_processes = 1\n')
        for nth in range(1, RUNS + 1):
            _run(folder / f"slow-{nth}", nth, str(slow))
        _panel(told[0])
        _picture(folder / "good-1" / "report.html", "report.png", 1000)
        sides = [str(folder / f"{side}-{nth}") for side in ("good", "slow") for nth in range(1, RUNS + 1)]
        page = folder / "compare.html"
        _chatproof("compare", "--base", *sides[:RUNS], "--new", *sides[RUNS:], "--out", str(page))
        _picture(page, "compare.png", 760)
        _chatproof("history", str(folder))
        _picture(folder / "history.html", "history.png", 720)


def _run(out: Path, seed: int, *plan: str) -> list[Status]:
    """What a run told of itself each second; again where the machine had something else to do."""
    for _ in range(_TRIES):
        done = _chatproof("run", *plan, *SMALL, "--seed", str(seed), "--out", str(out), "--json")
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


def _picture(page: Path, name: str, height: int) -> None:
    """The top of a page, 1,280 wide."""
    browser = shutil.which("chromium") or "chromium"
    target = IMAGES / name
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size=1280,{height}",
         f"--screenshot={target}", page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    with Image.open(target) as image:
        few = image.convert("RGB").quantize(_COLOURS)
    few.save(target, optimize=True)


if __name__ == "__main__":
    main()
