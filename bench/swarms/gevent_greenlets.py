"""A gevent greenlet and socket a connection."""

from bench.peer import Load, Swarm, ready
from protocol.frames import EMPTY_PING


def _run(load: Load) -> None:
    import gevent
    from gevent import socket

    def live() -> None:
        connection = socket.create_connection(("127.0.0.1", load.port))
        gevent.sleep(load.first_beat_s())
        while True:
            connection.sendall(EMPTY_PING)
            connection.recv(64)
            gevent.sleep(load.heartbeat_s)

    ready()
    gevent.joinall([gevent.spawn(live) for _ in range(load.connections)])


PEER = Swarm("gevent, a greenlet each", _run)
