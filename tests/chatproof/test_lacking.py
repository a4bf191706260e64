"""A run that would be judged by what the server does not have ends in one line before it begins."""

import pytest

from chatproof.errors import WrongUse
from chatproof.plan import Plan
from chatproof.target import check_lacks

_CARBONS, _ROOMS = ("own_devices", "no carbons"), ("groups", "no rooms")
_ARCHIVES = (("catch_up", "no archive"), ("group_catch_up", "no archive of rooms"))


@pytest.mark.parametrize(
    ("lacks", "swarm", "told"),
    [
        ([_CARBONS], {}, "no carbons. Leave that out: --set two_devices=0"),
        ([_CARBONS], {"two_devices": 0.0}, ""),
        (
            [_ROOMS, _CARBONS],
            {},
            "no rooms; no carbons. Leave that out: --set group_share=0 --set two_devices=0",
        ),
        (_ARCHIVES, {"away_share": 0.0}, ""),
        (
            _ARCHIVES,
            {},
            "no archive; no archive of rooms. Leave that out: --set two_devices=0 --set away_share=0 "
            "--set group_share=0",
        ),
        ([("redelivery", "what is under way is lost")], {}, ""),
    ],
)
def test_what_hangs_on_it_has_to_be_left_out(
    lacks: list[tuple[str, str]], swarm: dict[str, float], told: str
) -> None:
    plan = Plan(name="p", swarm=swarm)
    if not told:
        check_lacks(dict(lacks), plan, "xmpp://a.test")
        return
    with pytest.raises(WrongUse) as error:
        check_lacks(dict(lacks), plan, "xmpp://a.test")
    assert str(error.value) == f"target xmpp://a.test: {told}"
