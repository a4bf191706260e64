"""HTTP short poll: one connection, and a look at the inbox as often as `chat+shortpoll://HOST:PORT?every_s=0.5`."""

from drivers.carriers.polling import PollingCarrier

CARRIER = PollingCarrier("shortpoll", option="every_s", default_s=0.5, least_s=0.05, most_s=3600.0)
