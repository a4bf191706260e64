"""What can be set about a scenario: Locust command line, Locust web form and run plans share these."""

import argparse
from dataclasses import dataclass, field, fields
from typing import Any, Self

from scenarios.population import Population

DEFAULT_ACCOUNTS = ".chatproof/server/accounts.csv"
"""What `chatproof serve` leaves there."""


def option(default: Any, text: str) -> Any:
    """A field of options, and what people are told of it."""
    return field(default=default, metadata={"help": text})


class Options:
    """What fields of dataclasses have in common that are options of Locust's command line and web form."""

    __slots__ = ()

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser) -> None:
        """Each field becomes an option with its default and help, shown in the web form too."""
        for one in fields(cls):  # type: ignore[arg-type]
            flag = "--" + one.name.replace("_", "-")
            if isinstance(one.default, bool):
                parser.add_argument(flag, action="store_true", help=one.metadata["help"])
            else:
                parser.add_argument(
                    flag, type=type(one.default), default=one.default, help=one.metadata["help"]
                )

    @classmethod
    def from_namespace(cls, options: argparse.Namespace) -> Self:
        """From parsed Locust options; the web form sends every value as text."""
        values = {}
        for one in fields(cls):  # type: ignore[arg-type]
            value = getattr(options, one.name, one.default)
            kind: Any = type(one.default)
            if kind is bool and isinstance(value, str):
                value = value.lower() in ("true", "on", "1", "yes")
            values[one.name] = kind(value)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class SwarmOptions(Options):
    """Every field is an option `--like-this` of the Locust files and a key of a plan's [swarm] table."""

    cohort: int = option(100, "connections that one Locust user holds")
    heartbeat: int = option(30, "seconds between two heartbeats of a connection")
    accounts: str = option(DEFAULT_ACCOUNTS, "accounts file, user,token a line")
    endpoints: str = option("", "more access points than --host, separated by spaces")
    run_dir: str = option("", "folder for the ledger and the results; made when empty")
    seed: int = option(1, "makes the choices of a run repeatable")
    circle: int = option(5, "users who are friends of each other and share a group")
    two_devices: float = option(0.1, "share of users with a second device")
    connect_rate: float = option(2000.0, "connections begun a second, for each worker process")
    handshakes: int = option(1000, "connections being made or logging in at a time, for each worker process")
    sources: int = option(1, "loopback addresses to connect from: one for each 5,000 connections")
    source_addresses: str = option("", "addresses to connect from instead, separated by spaces")
    pace: float = option(0.0, "seconds between two looks at the sockets, so that one serves many; 0: at once")
    settle_timeout: float = option(45.0, "seconds that devices get to catch up at the end")
    chat_share: float = option(1.0, "chat: share of the cohorts that chat; the others only stay connected")
    send_rate: float = option(1.0, "chat: messages a second of each cohort that chats")
    group_share: float = option(0.1, "chat: share of the messages that go to a group")
    package_share: float = option(0.02, "chat: share of the sends that are packages of three messages")
    away_share: float = option(0.05, "chat: share of the devices that go offline and come back")
    away_for: float = option(10.0, "chat: seconds that such a device stays offline")
    read_share: float = option(0.1, "chat: share of deliveries after which the device marks all as read")
    body_bytes: int = option(100, "chat: size of a message body")
    on_command: bool = option(False, "chat: wait with the first message until the run says begin")


def population_of(options: SwarmOptions) -> Population:
    """Who the swarm is made of. Raises PopulationError."""
    return Population(options.cohort, options.circle, options.two_devices, options.chat_share)


def source_addresses(count: int) -> tuple[str, ...]:
    """None for one: the kernel chooses. More are addresses of the loopback network, from 127.0.0.2 on."""
    if count <= 1:
        return ()
    return tuple(f"127.0.{number // 250}.{number % 250 + 2}" for number in range(count))
