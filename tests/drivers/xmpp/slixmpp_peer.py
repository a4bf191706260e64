"""A client of slixmpp as a program: commands as JSON lines on stdin, what happens as JSON lines on stdout."""

import asyncio
import json
import sys
from typing import Any

import slixmpp


class Peer(slixmpp.ClientXMPP):
    def __init__(self, address: str, password: str) -> None:
        super().__init__(address, password)
        for plugin in ("xep_0198", "xep_0199", "xep_0280", "xep_0184"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.plugin["xep_0184"].auto_ack = True
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("message", self.message)
        self.add_event_handler("carbon_sent", lambda message: self.copy("sent", message["carbon_sent"]))
        self.add_event_handler(
            "receipt_received", lambda message: tell(what="receipt", id=message["receipt"])
        )
        self.add_event_handler("failed_all_auth", lambda _: tell(what="refused"))

    async def begin(self, _: Any) -> None:
        self.send_presence()
        await self.plugin["xep_0280"].enable()
        tell(what="ready")

    def message(self, message: Any) -> None:
        if message["body"]:
            tell(what="message", sender=message["from"].full, id=message["id"], body=message["body"])

    def copy(self, what: str, message: Any) -> None:
        tell(what=what, sender=message["from"].full, id=message["id"], body=message["body"])


def tell(**what: str) -> None:
    print(json.dumps(what), flush=True)


async def main(host: str, port: str, address: str, password: str) -> None:
    peer = Peer(address, password)
    peer.enable_direct_tls = peer.enable_starttls = False
    peer.enable_plaintext = True
    peer.connect(host, int(port))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        message = peer.make_message(mto=command["to"], mbody=command["body"], mtype="chat")
        if command.get("receipt"):
            message["request_receipt"] = True
        message.send()
    await peer.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
