"""`pointsman template`: the files that the usage guide starts from, to be edited and kept.

One rule: it prints, and writes nowhere; where a file belongs is said on stderr.
"""

from __future__ import annotations

import click

from console.output import out, say

section = "Run"

#: what is printed, and where its reader keeps it
FILES = {
    "ccr": "ccr-config.json",
    "litellm": "litellm-ccr-config-template.yaml",
}


@click.command()
@click.argument("kind", type=click.Choice(tuple(FILES)))
def command(kind: str) -> None:
    """Print a config to start from: CCR's or LiteLLM's.

    \b
    Examples:
      pointsman template ccr > ~/.claude-code-router/config.json
      pointsman template litellm > litellm-config.yaml
    """
    from importlib.resources import files

    from storage.home import home

    out((files("console") / "templates" / FILES[kind]).read_text("utf-8").rstrip("\n"))
    place = home().ccr_json if kind == "ccr" else home().litellm_yaml
    say(f"where Pointsman looks for it: {place}")
