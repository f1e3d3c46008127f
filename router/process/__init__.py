"""The router as a process among others: its children, its successor, its service manager."""
