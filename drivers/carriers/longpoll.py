"""HTTP long poll: the inbox on one connection, held until there is something; what is asked on another.

`chat+longpoll://HOST:PORT?wait_s=25`: how long the server may hold a request.
"""

from drivers.carriers.polling import PollingCarrier

CARRIER = PollingCarrier("longpoll", option="wait_s", default_s=25.0, least_s=0.1, most_s=60.0)
