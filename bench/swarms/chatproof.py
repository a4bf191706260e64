"""Chatproof: a shipped scenario under Locust, every client the one that conformance cases use.

Idle, it is the heartbeat scenario. Told to chat, it is the chat scenario between pairs: a round trip is a
message that was acknowledged, pushed, found intact and in order, and entered in the ledger twice.
"""

from bench.peer import Load, Swarm

_IN_FLIGHT = 256


def _run(load: Load) -> None:
    from bench.swarms._shipped import PAIRS, Shipped, say

    accounts = load.folder / "accounts.csv"
    # The postman takes tokens for names.
    accounts.write_text("".join(f"u{n:06},u{n:06}\n" for n in range(load.connections)))
    shipped = Shipped(
        "chat" if load.chats else "heartbeat",
        f"chat+tcp://127.0.0.1:{load.port}",
        accounts,
        load.connections,
        heartbeat=load.heartbeat_s,
        run_dir=str(load.folder / "run"),
        send_rate=0.0,
        **(PAIRS if load.chats else {}),
    )
    shipped.connect()
    if load.chats:
        shipped.chat(_IN_FLIGHT, load.window_s, say)
    shipped.wait()


PEER = Swarm("Chatproof", _run, verifies=True)
