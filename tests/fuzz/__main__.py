"""`python tests/fuzz`: every target, or those asked for. Ends with 1 if anything crashed."""

import argparse
import sys

from fuzzing import run, targets


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(targets()), metavar="TARGET", help="repeatable"
    )
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N", help="for each target")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    asked = parser.parse_args()
    crashes = 0
    for name in asked.only or targets():
        outcome = run(name, asked.inputs, seed=asked.seed)
        print(outcome, flush=True)
        for crash in outcome.crashes:
            print(crash, file=sys.stderr)
        crashes += len(outcome.crashes)
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
