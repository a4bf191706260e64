"""What moves the bytes: `epoll` for tens of thousands of clients, `blocking` for cases read like a script."""
