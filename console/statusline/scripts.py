"""Modules of the type `script`: a person's own program says what they show.

One rule: each gets the values as Claude Code Router gives them, and one that takes longer than a
second or fails shows nothing. JavaScript (`module.exports = (variables, options) => text`) runs in
one `node`; anything else that can be executed gets {"variables", "options"} on stdin.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: seconds: a status line that is late is not drawn at all
PATIENCE = 1.0
_JAVASCRIPT = (".js", ".cjs", ".mjs")
_RUNNER = """
const {variables, scripts} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
Promise.all(scripts.map(async ([path, options]) => {
  try {
    let made = path.endsWith('.mjs') ? await import(path) : require(path);
    if (typeof made !== 'function' && made && made.default) made = made.default;
    return String((typeof made === 'function' ? await made(variables, options) : made) ?? '');
  } catch { return ''; }
})).then(found => process.stdout.write(JSON.stringify(found)));
"""


def run(modules: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> dict[int, str]:
    """What each script said, by its module's place."""
    wanted = {
        number: (os.path.expanduser(str(module["scriptPath"])), module.get("options"))
        for number, module in enumerate(modules)
        if module.get("type") == "script" and module.get("scriptPath")
    }
    if not wanted:
        return {}
    javascript = {n: each for n, each in wanted.items() if each[0].endswith(_JAVASCRIPT)}
    found = {
        number: _say([path], {"variables": known, "options": options})
        for number, (path, options) in wanted.items()
        if number not in javascript
    }
    if javascript:
        asked = {"variables": known, "scripts": list(javascript.values())}
        try:
            said = json.loads(_say(["node", "-e", _RUNNER], asked))
        except ValueError:
            said = []
        found |= dict(zip(javascript, said, strict=False))
    return found


def _say(command: list[str], asked: Mapping[str, Any]) -> str:
    import subprocess

    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
