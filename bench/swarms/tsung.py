"""Tsung, a raw TCP session a connection (Debian package `tsung`). Its heartbeat is a line of text."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.opposite.server import TEXT_BEAT
from bench.peer import Load, Swarm
from reactor import sockets

_ARRIVALS_A_SECOND = 2000
_CONFIG = """<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd">
<tsung loglevel="warning" version="1.0">
  <clients><client host="localhost" use_controller_vm="true" maxusers="{most}"/></clients>
  <servers><server host="127.0.0.1" port="{port}" type="tcp"/></servers>
  <load><arrivalphase phase="1" duration="1" unit="hour">
    <users maxnumber="{connections}" arrivalrate="{rate}" unit="second"/>
  </arrivalphase></load>
  <sessions><session name="beat" probability="100" type="ts_raw">
    <request><raw data="{beat}" ack="local"/></request>
    <thinktime value="{heartbeat_s}" random="true"/>
    <for from="1" to="100000" var="i">
      <request><raw data="{beat}" ack="local"/></request>
      <thinktime value="{heartbeat_s}" random="false"/>
    </for>
  </session></sessions>
</tsung>
"""


def _run(load: Load) -> None:
    config = load.folder / "tsung.xml"
    config.write_text(
        _CONFIG.format(
            most=load.connections + 1,
            port=load.port,
            connections=load.connections,
            rate=_ARRIVALS_A_SECOND,
            heartbeat_s=load.heartbeat_s,
            beat=TEXT_BEAT.decode().strip() + "&#10;",
        )
    )
    # A port mapper of its own: one that Erlang starts would outlive it.
    with sockets.reserve("127.0.0.1") as kept:
        names = {**os.environ, "ERL_EPMD_PORT": str(kept.getsockname()[1]), "HOME": str(load.folder)}
        _drive(config, names, load)


def _drive(config: Path, names: dict[str, str], load: Load) -> None:
    with subprocess.Popen(["epmd"], env=names, stdout=sys.stderr):
        command = ["tsung", "-n", "-w", "0", "-f", str(config), "-l", str(load.folder), "start"]
        subprocess.run(command, env=names, stdout=sys.stderr, check=True)


def _missing() -> str | None:
    return None if shutil.which("tsung") else "apt-get install tsung"


PEER = Swarm("Tsung, raw TCP", _run, waits=False, missing=_missing)
