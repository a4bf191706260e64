"""How clients find a way in, whatever the network does to them: a scheduler, names over HTTP, the resolver of
the system, addresses built in; four ports; connections, WebSockets, requests.

One `Ladder` is shared by all clients of a network, so none of them carries any of it: `origin` (where to
ask), `candidates` (what to try, best first), `answers` (what is believed), `race` (who is tried when),
`climb` (from asking to the first that answers), `ladder` (what is known now, and what is asked of it). All of
it is sans-I/O; `drivers.pumps.scouts` does what a climb wants done.
"""
