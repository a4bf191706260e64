"""What mkdocs is told: reference pages are made at each build, and every page has its place in the menu."""

import os
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent.parent)]
# mkdocs has imported what Locust would patch.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"

import reference  # noqa: E402

_INSIDE = ("architecture.md", "protocol.md", "decisions.md")
_FIRST = "index.md"


def on_config(config: Any) -> Any:
    """The menu: tutorials, then what is made from code, what is about the inside, and all other pages."""
    docs = Path(config["docs_dir"])
    guides = sorted(path.name for path in docs.glob("*.md") if path.name not in (_FIRST, *_INSIDE))
    config["nav"] = [
        _FIRST,
        {"Tutorials": sorted(f"tutorials/{path.name}" for path in docs.glob("tutorials/*.md"))},
        {"Guides": guides},
        {"Reference": list(reference.pages())},
        {"Inside": list(_INSIDE)},
    ]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The reference pages are among the pages."""
    for path, text in reference.pages().items():
        files.append(File.generated(config, path, content=text))
    return files
