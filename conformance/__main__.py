"""`python -m conformance PID ARGUMENT …`: one run of the suite, in a process that ends with the one that
started it, PID; the arguments are pytest's."""

import sys

from gevent import monkey

from refserver.lifeline import end_with


def main() -> int:
    """What pytest says, as the plugin changes it."""
    parent, *arguments = sys.argv[1:]
    if not end_with(int(parent)):
        return 0
    monkey.patch_all()
    import pytest

    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
