"""What the processes of other machines wrote comes to the master's run folder; what does not is named."""

from functools import partial

import gevent

from ledger.clocks import samples_of
from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from scenarios.machines import Joined, Machines
from scenarios.outpost import FILES
from scenarios.pieces import write_pieces

_ANSWER_S = 20.0


def gather(machines: Machines, folder: RunFolder) -> None:
    """`missing` of each machine says of which of its processes ledger and samples are not both in `folder`.

    To be called when all processes that will close their ledgers have done so. Raises LedgerError if
    something cannot be written here.
    """
    fetching = [
        gevent.spawn(_gather_machine, machines, machine, folder) for machine in machines.joined.values()
    ]
    gevent.joinall(fetching)
    for one in fetching:
        one.get()


def _gather_machine(machines: Machines, machine: Joined, folder: RunFolder) -> None:
    for node in machines.nodes(machine):
        if _fetch_all(machines, machine, node, folder):
            break
    machine.missing = tuple(process for process in machine.processes if not _is_here(folder, process))


def _fetch_all(machines: Machines, machine: Joined, node: str, folder: RunFolder) -> bool:
    """Whether `node` handed over everything that its machine has."""
    listed = machines.calls.ask(node, "files", _ANSWER_S)
    if listed is None:
        return False
    given_out = (*machine.processes, samples_of(machine.name))
    names = {place: [process + end for process in given_out for end in ends] for place, ends in FILES.items()}
    for place, name, size in listed.content["files"]:
        # A name from elsewhere becomes a path here only if it is one of those that were given out.
        if name not in names.get(place, ()):
            continue
        path = folder.path / place / name
        try:
            came = path.exists() or write_pieces(path, size, partial(_piece, machines, node, place, name))
        except OSError as error:
            raise LedgerError(f"cannot write {path}: {error.strerror}") from error
        if not came:
            return False
        machines.calls.ask(node, "arrived", _ANSWER_S, place=place, name=name)
    return True


def _piece(machines: Machines, node: str, place: str, name: str, offset: int) -> bytes | None:
    answer = machines.calls.ask(node, "piece", _ANSWER_S, place=place, name=name, offset=offset)
    return None if answer is None else bytes(answer.content["piece"])


def _is_here(folder: RunFolder, process: str) -> bool:
    return all(
        any((folder.path / place / (process + end)).exists() for end in endings)
        for place, endings in FILES.items()
    )
