"""What can be set about a scenario: Locust command line, Locust web form and run plans share these."""

import argparse
from dataclasses import dataclass, field, fields
from typing import Any

from scenarios.population import Population

DEFAULT_ACCOUNTS = ".chatproof/server/accounts.csv"
"""What `chatproof serve` leaves there."""


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True)
class SwarmOptions:
    """Every field is an option `--like-this` of the Locust files and a key of a plan's [swarm] table."""

    cohort: int = _option(100, "connections that one Locust user holds")
    heartbeat: int = _option(30, "seconds between two heartbeats of a connection")
    accounts: str = _option(DEFAULT_ACCOUNTS, "accounts file, user,token a line")
    endpoints: str = _option("", "more access points than --host, separated by spaces")
    run_dir: str = _option("", "folder for the ledger and the results; made when empty")
    seed: int = _option(1, "makes the choices of a run repeatable")
    circle: int = _option(5, "users who are friends of each other and share a group")
    two_devices: float = _option(0.1, "share of users with a second device")
    connect_rate: float = _option(2000.0, "connections begun a second, for each worker process")
    handshakes: int = _option(1000, "connections being made or logging in at a time, for each worker process")
    sources: int = _option(1, "loopback addresses to connect from: one for each 5,000 connections")
    pace: float = _option(
        0.0, "seconds between two looks at the sockets, so that one serves many; 0: at once"
    )
    settle_timeout: float = _option(45.0, "seconds that devices get to catch up at the end")
    chat_share: float = _option(1.0, "chat: share of the cohorts that chat; the others only stay connected")
    send_rate: float = _option(1.0, "chat: messages a second of each cohort that chats")
    group_share: float = _option(0.1, "chat: share of the messages that go to a group")
    package_share: float = _option(0.02, "chat: share of the sends that are packages of three messages")
    away_share: float = _option(0.05, "chat: share of the devices that go offline and come back")
    away_for: float = _option(10.0, "chat: seconds that such a device stays offline")
    read_share: float = _option(0.1, "chat: share of deliveries after which the device marks all as read")
    body_bytes: int = _option(100, "chat: size of a message body")
    on_command: bool = _option(False, "chat: wait with the first message until the run says begin")

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser) -> None:
        """Each field becomes an option with its default and help, shown in the web form too."""
        for option in fields(cls):
            flag = "--" + option.name.replace("_", "-")
            if isinstance(option.default, bool):
                parser.add_argument(flag, action="store_true", help=option.metadata["help"])
            else:
                parser.add_argument(
                    flag, type=type(option.default), default=option.default, help=option.metadata["help"]
                )

    @classmethod
    def from_namespace(cls, options: argparse.Namespace) -> "SwarmOptions":
        """From parsed Locust options; the web form sends every value as text."""
        values = {}
        for option in fields(cls):
            value = getattr(options, option.name, option.default)
            kind: Any = type(option.default)
            if kind is bool and isinstance(value, str):
                value = value.lower() in ("true", "on", "1", "yes")
            values[option.name] = kind(value)
        return cls(**values)


def population_of(options: SwarmOptions) -> Population:
    """Who the swarm is made of. Raises PopulationError."""
    return Population(options.cohort, options.circle, options.two_devices, options.chat_share)
