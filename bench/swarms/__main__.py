"""`python -m bench.swarms NAME LOAD`: one swarm, in this process, until it is killed. LOAD is JSON.

Nothing is imported but the swarm itself: Locust and gevent have to come first where one stands on them.
"""

import importlib
import json
import sys
from pathlib import Path

from bench.peer import Load, Swarm


def main() -> None:
    name, fields = sys.argv[1], json.loads(sys.argv[2])
    peer: Swarm = importlib.import_module(f"bench.swarms.{name}").PEER
    assert peer.run is not None
    peer.run(Load(**fields | {"folder": Path(fields["folder"])}))


if __name__ == "__main__":
    main()
