"""What moves the bytes: `epoll` for tens of thousands of clients, `blocking` for cases read like a script.

`blocking` stands on `single`, a greenlet a client; `wire` is for those that say what no client would say.
"""
