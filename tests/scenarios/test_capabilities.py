"""Nobody does what the target's protocol does not offer, and a cohort without versions settles by silence."""

from dataclasses import replace

import pytest

from drivers import registered
from drivers.dialects import mqtt
from scenarios.capabilities import NEEDED, lacking, promises, within
from scenarios.options import SwarmOptions

BOLD = SwarmOptions(two_devices=0.2, package_share=0.3, away_share=0.4, read_share=0.5)


def test_chat_does_all_of_it() -> None:
    assert within(BOLD, "chat+tcp://127.0.0.1:1") == BOLD


def test_mqtt_does_what_it_offers() -> None:
    fitted = within(BOLD, "mqtt://127.0.0.1")
    assert (fitted.two_devices, fitted.away_share) == (0.2, 0.4)
    assert (fitted.package_share, fitted.read_share) == (0.0, 0.0)
    assert promises("mqtt://127.0.0.1?version=5") == {
        "dialect": "mqtt",
        "offers": ["multi_device", "offline"],
    }


def test_whoever_offers_nothing_does_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(mqtt.DIALECT, name="bare", offers=frozenset(), configured=None, schemes={})
    monkeypatch.setattr(registered, "known_dialects", lambda: {"bare": bare})
    monkeypatch.setattr("drivers.endpoints.known_dialects", lambda: {"bare": bare})
    fitted = within(BOLD, "bare://127.0.0.1")
    assert [getattr(fitted, name) for name in NEEDED] == [0.0] * len(NEEDED)
    assert lacking(frozenset()) == NEEDED


def test_a_target_that_makes_no_sense_is_for_others_to_complain_about() -> None:
    assert within(BOLD, "nothing at all") == BOLD
