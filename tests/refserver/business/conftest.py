"""A running business with three friends, alice, bob and carol, who are also the group g:team, and a stranger."""

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
