"""Which access node holds a device of which user (SCL.1)."""

from collections.abc import Sequence

from refserver.face import Node

_NODE_BITS = 20
_ONE = 1 << _NODE_BITS
_MASK = _ONE - 1


class Presence:
    """Counts `add` and `remove` by user and node.

    A user on one node, which is nearly everybody, costs a dict entry and an int: count << 20 | node. Only
    users on several nodes have a tuple of these.
    """

    __slots__ = ("_nodes", "_numbers", "_places")

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._numbers: dict[int, int] = {}
        self._places: dict[str, int | tuple[int, ...]] = {}

    def add(self, user: str, node: Node) -> None:
        """One more device or poll of `user` on `node`."""
        number = self._number(node)
        known = self._places.get(user)
        if known is None:
            self._places[user] = _ONE | number
            return
        places = known if isinstance(known, tuple) else (known,)
        if any(place & _MASK == number for place in places):
            places = tuple(place + _ONE if place & _MASK == number else place for place in places)
        else:
            places = (*places, _ONE | number)
        self._places[user] = places[0] if len(places) == 1 else places

    def remove(self, user: str, node: Node) -> None:
        """One less; removing what was never added changes nothing."""
        number = self._number(node)
        known = self._places.get(user)
        if known is None:
            return
        places = known if isinstance(known, tuple) else (known,)
        left = [place - _ONE if place & _MASK == number else place for place in places]
        left = [place for place in left if place >= _ONE]
        if not left:
            del self._places[user]
        else:
            self._places[user] = left[0] if len(left) == 1 else tuple(left)

    def nodes_of(self, user: str) -> Sequence[Node]:
        """The nodes that hold a device or a poll of `user`; mostly none or one."""
        place = self._places.get(user)
        if place is None:
            return ()
        if isinstance(place, int):
            return (self._nodes[place & _MASK],)
        return [self._nodes[each & _MASK] for each in place]

    def connections_of(self, user: str) -> int:
        """How many devices and polls of `user` there are on all nodes."""
        place = self._places.get(user, 0)
        return place >> _NODE_BITS if isinstance(place, int) else sum(each >> _NODE_BITS for each in place)

    def __len__(self) -> int:
        return len(self._places)

    def _number(self, node: Node) -> int:
        number = self._numbers.get(id(node))
        if number is None:
            number = self._numbers[id(node)] = len(self._nodes)
            self._nodes.append(node)
        return number
