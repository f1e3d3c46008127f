"""The console in a browser: a page with a terminal, and the terminal's other end."""
