"""`python -m conformance.mutants NAME …`: what `python -m refserver …` does, with one thing broken."""

import sys

from conformance.mutating.mutant import UnknownMutant, load
from refserver import __main__ as program


def main() -> int:
    """As the reference server ends; 2 for a mutant that does not exist."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    try:
        load(name).patch()
    except UnknownMutant as error:
        print(f"conformance.mutants: {error}", file=sys.stderr)
        return 2
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
