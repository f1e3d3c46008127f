"""The SSH way in: a process of its own, one child process per session."""
