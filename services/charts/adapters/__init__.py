"""The outside of charts: the log it reads, the sockets and files it serves."""
