"""`python -m bench`: every benchmark in this folder, or those asked for."""

import argparse
import dataclasses
import importlib
import json
import pkgutil
import sys
import time
from pathlib import Path
from types import ModuleType

import bench
from bench.row import Options, table


def benchmarks() -> dict[str, ModuleType]:
    """By name: the modules beside this one that have a NAME."""
    beside = (name for _, name, _ in pkgutil.iter_modules(bench.__path__) if name != "__main__")
    modules = [importlib.import_module(f"bench.{name}") for name in beside]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def main() -> int:
    found = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument("--only", action="append", choices=sorted(found), metavar="NAME", help="repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, for a program")
    for field in dataclasses.fields(Options):
        parser.add_argument(f"--{field.name}", type=int, default=field.default, metavar="N")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(f"{name:8} {first_line(module)}" for name, module in sorted(found.items())))
        return 0
    options = Options(**{field.name: getattr(asked, field.name) for field in dataclasses.fields(Options)})
    measured = {}
    for name in asked.only or sorted(found):
        began = time.perf_counter()
        rows = found[name].run(options)
        print(f"{name}: {first_line(found[name])}\n\n{table(rows)}\n")
        print(f"({time.perf_counter() - began:.1f} s)\n", flush=True)
        measured[name] = [dataclasses.asdict(row) for row in rows]
    if asked.json:
        asked.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
