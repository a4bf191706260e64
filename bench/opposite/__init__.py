"""What stands opposite: the same minimal server for all swarms, the same minimal client for all servers.

Both are one epoll loop in a process of its own and answer each line on their standard input with counts,
so that whoever measures asks the side that is not measured. They are also the floor of the other table.
"""
