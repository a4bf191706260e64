"""Packet filter rules, by the library that `nft` is made of: a change takes a tenth of a millisecond."""

import ctypes
import json
from functools import cache
from typing import Any

from chaos.errors import PacketsError
from chaos.packets.namespace import Namespace

_LIBRARY = "libnftables.so.1"
_JSON = 1 << 4


class Nftables:
    """The rules of one namespace, which it stays connected with from wherever it is called."""

    def __init__(self, namespace: Namespace) -> None:
        """Raises PacketsError."""
        self._library = _library()
        with namespace.entered():
            self._context: int | None = self._library.nft_ctx_new(0)
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def do(self, commands: str) -> str:
        """All of the commands, or none; what they print. Raises PacketsError."""
        if self._context is None:
            raise PacketsError("these packet filter rules are gone: their network was removed")
        code = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        said: bytes = self._library.nft_ctx_get_output_buffer(self._context) or b""
        wrong: bytes = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if code:
            reason = wrong.decode("utf-8", "replace").strip().partition("\n")[0]
            raise PacketsError(f"nftables: {reason or 'the kernel refuses'}")
        return said.decode()

    def rules(self, table: str, chain: str) -> list[dict[str, Any]]:
        """The rules of a chain, as libnftables-json(5) has them."""
        self._library.nft_ctx_output_set_flags(self._context, _JSON)
        try:
            told = json.loads(self.do(f"list chain {table} {chain}"))
        finally:
            self._library.nft_ctx_output_set_flags(self._context, 0)
        return [each["rule"] for each in told["nftables"] if "rule" in each]

    def close(self) -> None:
        if self._context is not None:
            self._library.nft_ctx_free(self._context)
            self._context = None


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise PacketsError(
            f"the library {_LIBRARY} is missing; on Debian and Ubuntu: apt-get install libnftables1"
        ) from error
    context, text = ctypes.c_void_p, ctypes.c_char_p
    for name, arguments, result in (
        ("nft_ctx_new", [ctypes.c_uint32], context),
        ("nft_ctx_free", [context], None),
        ("nft_ctx_buffer_output", [context], ctypes.c_int),
        ("nft_ctx_buffer_error", [context], ctypes.c_int),
        ("nft_ctx_output_set_flags", [context, ctypes.c_uint], None),
        ("nft_ctx_get_output_buffer", [context], text),
        ("nft_ctx_get_error_buffer", [context], text),
        ("nft_run_cmd_from_buffer", [context, text], ctypes.c_int),
    ):
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library
