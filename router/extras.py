"""What to type for an extra that is missing (`otel`, `azure`, …).

Its rule: by the very Python that runs. Another `pip` may be first on PATH, and would look for us on
an index; one that uv made has none.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec


def to_install(extra: str) -> str:
    """A command line."""
    if find_spec("pip") is None:
        return f"uv pip install --python {sys.executable} 'pointsman[{extra}]'"
    return f"{sys.executable} -m pip install 'pointsman[{extra}]'"
