"""`python -m bench`: one table of swarms, servers and messages, or the benchmarks that are asked for."""

import argparse
import dataclasses
import importlib
import pkgutil
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import bench
from bench import servers, swarms
from bench.results import Measurement, conditions, save
from bench.row import Options, table
from refserver.settings import raise_descriptor_limit

LEAST, MOST = 10, 14_000
"""Connections: of a cohort, and of the ports that one source address has towards one destination."""
DEFAULT_RESULTS = Path(__file__).parent / "results"


def benchmarks() -> dict[str, ModuleType]:
    """By name: the modules beside this one that have a NAME. Those that have a PLACE too, and a TITLE, are
    the parts of the table, in that order."""
    beside = (name for _, name, _ in pkgutil.iter_modules(bench.__path__) if name != "__main__")
    modules = [importlib.import_module(f"bench.{name}") for name in beside]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def known_peers() -> set[str]:
    """File names, of swarms and servers."""
    found = (info.name for package in (swarms, servers) for info in pkgutil.iter_modules(package.__path__))
    return {name for name in found if not name.startswith("_")}


def first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def main() -> int:
    found = benchmarks()
    asked = _arguments(found)
    if asked.list:
        print("\n".join(f"{name:8} {first_line(module)}" for name, module in sorted(found.items())))
        return 0
    numbers = {field.name: getattr(asked, field.name) for field in _numbers()}
    options = Options(**numbers, peers=tuple(asked.peer or ()))
    if asked.size:
        options = dataclasses.replace(options, sizes=tuple(asked.size))
    raise_descriptor_limit()
    measurement = Measurement(conditions(), dataclasses.asdict(options))
    parts = sorted((name for name in found if hasattr(found[name], "PLACE")), key=lambda n: found[n].PLACE)
    for name in asked.only or parts:
        began = time.perf_counter()
        rows = found[name].run(options)
        measurement.rows[name] = rows
        measurement.took_s[name] = time.perf_counter() - began
        print(f"{name}: {measurement.took_s[name]:.1f} s", file=sys.stderr, flush=True)
    print(measurement.headline())
    for name, rows in measurement.rows.items():
        print(f"\n{getattr(found[name], 'TITLE', name)}: {first_line(found[name])}\n\n{table(rows)}")
    return save(measurement, asked.results)


def _arguments(found: dict[str, ModuleType]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument("--only", action="append", choices=sorted(found), metavar="NAME", help="repeatable")
    parser.add_argument(
        "--results", type=Path, default=DEFAULT_RESULTS, metavar="DIR", help="for bench.json and bench.png"
    )
    parser.add_argument("--peer", action="append", metavar="FILE", help="only this one, such as floor")
    parser.add_argument("--size", action="append", type=int, metavar="N", help="of growth; repeatable")
    for field in _numbers():
        parser.add_argument(f"--{field.name}", type=int, default=field.default, metavar="N")
    asked = parser.parse_args()
    if not LEAST <= asked.connections <= MOST or asked.heartbeat < 1 or asked.window < 1:
        parser.error(f"--connections has to be {LEAST} to {MOST:,}, --heartbeat and --window at least 1")
    if unknown := set(asked.peer or ()) - known_peers():
        parser.error(f"--peer {min(unknown)}: there are {', '.join(sorted(known_peers()))}")
    return asked


def _numbers() -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(Options) if isinstance(field.default, int)]


if __name__ == "__main__":
    sys.exit(main())
