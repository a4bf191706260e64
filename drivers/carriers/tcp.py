"""Plain TCP: the session's bytes as they are."""

from drivers.contract import Carrier

CARRIER = Carrier(name="tcp")
