"""The screens, by the keys that lead to them: one file each, and the windows that stand over them.

Nothing is imported here: whoever only wants to know what there is brings in no Textual.
"""

from typing import Final

#: number → (id, its file's name too, and the class in it)
SCREENS: Final[dict[str, tuple[str, str]]] = {
    "1": ("live", "Live"),
    "2": ("sessions", "Sessions"),
    "3": ("costs", "Costs"),
    "4": ("health", "Health"),
    "5": ("logs", "Logs"),
    "6": ("routes", "Routes"),
    "7": ("overrides", "Overrides"),
    "8": ("playground", "Playground"),
}
IDS: Final = tuple(id for id, _ in SCREENS.values())
