"""An option is written down once and is there on Locust's command line, in its web form and in plans."""

from dataclasses import fields, replace
from typing import Any

import locust.argument_parser
import pytest

import scenarios.chat  # noqa: F401  its import adds the options
from scenarios.options import SwarmOptions

OPTIONS = {option.name: option for option in fields(SwarmOptions)}
OTHER: dict[type, Any] = {int: 7, float: 0.25, str: "elsewhere", bool: True}
"""A value that no option has by default, by type."""


def parsed(*words: str) -> SwarmOptions:
    parser = locust.argument_parser.get_parser()
    return SwarmOptions.from_namespace(parser.parse_args(list(words)))


def test_locust_knows_the_defaults() -> None:
    assert parsed() == SwarmOptions()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_one_of_locusts(name: str) -> None:
    value = OTHER[type(OPTIONS[name].default)]
    flag = "--" + name.replace("_", "-")
    words = [flag] if value is True else [flag, str(value)]
    assert parsed(*words) == replace(SwarmOptions(), **{name: value})


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_in_the_web_form_with_its_help(name: str) -> None:
    shown = locust.argument_parser.ui_extra_args_dict([])
    assert shown[name]["default_value"] == OPTIONS[name].default
    assert shown[name]["help_text"] == OPTIONS[name].metadata["help"]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_text_from_the_web_form_is_the_value_it_says(name: str) -> None:
    value = OTHER[type(OPTIONS[name].default)]
    namespace = locust.argument_parser.get_parser().parse_args([])
    text = "on" if value is True else str(value)
    setattr(namespace, name, text)
    assert getattr(SwarmOptions.from_namespace(namespace), name) == value


@pytest.mark.parametrize("text", ["", "false", "False", "0", "off"])
def test_a_box_that_is_not_ticked_is_false(text: str) -> None:
    namespace = locust.argument_parser.get_parser().parse_args([])
    namespace.on_command = text
    assert SwarmOptions.from_namespace(namespace).on_command is False
