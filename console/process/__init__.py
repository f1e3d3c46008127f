"""The router as a process: is there one, starting it, ending it, putting another in its place."""
