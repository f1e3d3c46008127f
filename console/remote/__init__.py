"""A console for somebody elsewhere: what the SSH front and the web front have in common."""
