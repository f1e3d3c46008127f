"""Public API surfaces: one file each. Which paths, which dialect, which key, which error shape.

A door is an async function of (router, call); `call.path` is the path within it. What a door does
not know it answers itself, in its own dialect.
"""
