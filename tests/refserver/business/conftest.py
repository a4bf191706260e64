"""A running business: alice, bob and carol are friends and the group g:team; stranger knows nobody."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from business_world import World

from refserver import accounts


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.befriend("alice", "bob", "carol", group="team")
    accounts.add(tmp_path, ["stranger"])
    yield world
    world.stop()
