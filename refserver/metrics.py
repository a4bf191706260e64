"""The metrics of the reference server: GET /metrics, and OTLP where it is asked for."""

from collections.abc import Mapping

from metrics.metric import Family, Kind, Point, describe
from metrics.processes import costs
from refserver.access.counts import Counts

_P = "chatproof_server_"
CONNECTIONS = describe(
    f"{_P}connections", Kind.GAUGE, "Connections open now, by the address they came in at.", ["listener"]
)
CALLS = describe(f"{_P}http_calls", Kind.GAUGE, "HTTP requests that wait for their answer, long polls too.")
USERS = describe(f"{_P}users", Kind.GAUGE, "Users who have a device connected.")
WAITING = describe(f"{_P}requests_waiting", Kind.GAUGE, "Requests that are in no commit yet.")
MESSAGES = describe(f"{_P}messages_total", Kind.COUNTER, "Messages stored.")
COMMITS = describe(f"{_P}commits_total", Kind.COUNTER, "Commits, each of one message or many.")
FAILED = describe(
    f"{_P}requests_failed_total", Kind.COUNTER, "Requests answered with an error since a commit failed."
)
OPENED = describe(f"{_P}connections_opened_total", Kind.COUNTER, "Long connections accepted.")
CLEARED = describe(
    f"{_P}connections_cleared_total", Kind.COUNTER, "Long connections given up because nothing came."
)
LOGINS = describe(f"{_P}logins_total", Kind.COUNTER, "Logins on long connections.")
HEARTBEATS = describe(f"{_P}heartbeats_total", Kind.COUNTER, "Heartbeats answered.")
PUSHES = describe(f"{_P}pushes_total", Kind.COUNTER, "Messages pushed to devices, repeats too.")
REPEATS = describe(f"{_P}pushes_repeated_total", Kind.COUNTER, "Pushes repeated for want of an answer.")
CPU = describe(
    f"{_P}process_cpu_seconds_total", Kind.COUNTER, "CPU time of each process, user and system.", ["process"]
)
MEMORY = describe(f"{_P}process_resident_memory_bytes", Kind.GAUGE, "Memory of each process.", ["process"])
FILES = describe(f"{_P}process_open_fds", Kind.GAUGE, "Descriptors that each process has open.", ["process"])


def measured(
    business: Mapping[str, int],
    access: Counts,
    held: Mapping[str, int],
    calls: int,
    pids: Mapping[str, int],
) -> list[Family]:
    """`business`: as its `stats` says; `access`: of all access processes together; `held`: connections by
    listener; `calls`: under way; `pids`: by name of the process."""
    return [
        CONNECTIONS.of(*(Point((url,), count) for url, count in held.items())),
        CALLS.value(calls),
        USERS.value(business["users"]),
        WAITING.value(business["waiting"]),
        MESSAGES.value(business["messages"]),
        COMMITS.value(business["batches"]),
        FAILED.value(business["failed"]),
        OPENED.value(access.opened),
        CLEARED.value(access.cleared),
        LOGINS.value(access.logins),
        HEARTBEATS.value(access.heartbeats),
        PUSHES.value(access.pushes),
        REPEATS.value(access.repeats),
        *costs(pids, CPU, MEMORY, FILES),
    ]
