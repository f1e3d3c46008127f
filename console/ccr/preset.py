"""`ccr preset`: configurations to keep, share and use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from console.output import bold, dim, fail, out, print_json, say, secret
from console.suggesting import Suggesting
from console.text import clean

section = "Routes and costs"


@click.group(cls=Suggesting)
def command() -> None:
    """Save, install and look at presets of Claude Code Router."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def list_(as_json: bool) -> None:
    """The presets that are installed."""
    from console import presets
    from storage.home import home

    here = home()
    names = presets.installed(here)
    if as_json:
        print_json(names)
        return
    if not names:
        out("No presets found.")
        say("Install a preset with: ccr preset install <folder, file, address or name>")
        return
    out("Available presets:")
    for name in names:
        manifest = _load(name)
        version = f" (v{clean(str(manifest['version']))})" if manifest.get("version") else ""
        out(f"• {bold(clean(name))}{version}")
        for text in (manifest.get("description"), _by(manifest)):
            if text:
                out(f"  {clean(str(text))}")


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; secrets are left out")
def info(name: str, as_json: bool) -> None:
    """What one preset sets, and where its files are."""
    from console import presets
    from storage.home import home

    manifest = _load(name)
    config, _ = presets.without_secrets(presets.configuration(manifest))
    if as_json:
        about = {key: manifest[key] for key in presets.ABOUT if key in manifest}
        print_json({**about, "config": config})
        return
    out(f"{bold('Preset:')} {clean(name)}")
    for key in ("version", "description", "author", "keywords", "homepage", "repository"):
        if value := manifest.get(key):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            out(f"{key.capitalize()}: {clean(shown)}")
    for provider in config.get("Providers") or ():
        if isinstance(provider, dict):
            models = ", ".join(map(str, provider.get("models") or ()))
            out(f"Provider: {clean(str(provider.get('name')))}  {dim(clean(models))}")
    for scenario, target in (config.get("Router") or {}).items():
        out(f"Route: {clean(scenario)} → {clean(str(target))}")
    out(f"Folder: {presets.folder(home(), name)}")


@command.command()
@click.argument("name")
@click.option("--output", metavar="FOLDER", help="Where to  [presets/NAME]")
@click.option("--description", default="")
@click.option("--author", default="")
@click.option("--tags", default="", help="Comma-separated")
@click.option("--include-sensitive", is_flag=True, help="With the keys as they are")
def export(
    name: str, output: str | None, description: str, author: str, tags: str, include_sensitive: bool
) -> None:
    """Save config.json as a preset; keys become ${VARIABLES}."""
    import json
    from pathlib import Path

    from console import presets
    from console.quick_json5 import read
    from storage.home import home

    here = home()
    config = read(here.ccr_json)
    if not config:
        fail(f"{here.ccr_json} holds nothing to export")
    shown, count = (config, 0) if include_sensitive else presets.without_secrets(config)
    keywords = [tag.strip() for tag in tags.split(",") if tag.strip()]
    about = {"description": description, "author": author, "keywords": keywords}
    manifest = {"name": name, "version": "1.0.0", **{k: v for k, v in about.items() if v}, **shown}
    try:
        if output:
            place = Path(output).expanduser()
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            (place / presets.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
        else:
            place = presets.save(here, name, manifest)
    except (presets.PresetError, OSError) as error:
        fail(str(error))
    out("✓ Preset exported successfully")
    out(f"Location: {place}")
    out(f"  - Providers: {len(shown.get('Providers') or ())}")
    out(f"  - Router rules: {len(shown.get('Router') or ())}")
    if not include_sensitive:
        out(f"  - Sensitive fields sanitized: {count}")


@command.command()
@click.argument("source", metavar="FOLDER|FILE|URL|NAME")
@click.option("--name", default="", help="Under another name")
def install(source: str, name: str) -> None:
    """Install a preset, or configure an installed one anew.

    From a folder, a file (its manifest.json, or a zip), an https address of one, a repository on
    GitHub, or by its name in the marketplace.
    """
    installing(source, name)


def installing(source: str, name: str = "") -> None:
    from console import claude, presets
    from storage.home import home

    here = home()
    try:
        market = claude.preset_market(here)
        name, place, manifest = presets.install(here, source, name, _ask, market)
    except (presets.PresetError, OSError) as error:
        fail(f"Failed to install preset: {error}")
    out("✓ Preset configured successfully!")
    out(f"Preset directory: {place}")
    out(f"Inputs configured: {len(manifest.get('userValues') or ())}")
    for line in presets.powers(presets.configuration(manifest)):
        out(clean(line))
    out(f'Use this preset: ccr {name} "your prompt"   (for all: ccr preset apply {name})')


@command.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Though config.json has comments")
def apply(name: str, force: bool) -> None:
    """Write a preset's providers and routes into config.json."""
    from console import presets
    from storage.home import home

    _load(name)
    try:
        backup = presets.apply(home(), name, force=force)
    except (presets.PresetError, OSError) as error:
        fail(str(error))
    out(f"✓ {clean(name)} is in force; before: {backup}")


@command.command()
@click.argument("name")
def delete(name: str) -> None:
    """Remove a preset."""
    import shutil

    from console import presets
    from storage.home import home

    _load(name)
    shutil.rmtree(presets.folder(home(), name))
    out(f'✓ Preset "{clean(name)}" deleted.')


for _synonym in ("rm", "remove"):
    command.add_command(
        click.Command(
            _synonym,
            callback=delete.callback,
            params=delete.params,
            help="The same as delete.",
            hidden=True,
        )
    )


def _load(name: str) -> dict[str, Any]:
    from console import presets
    from storage.home import home

    try:
        place = presets.folder(home(), name)
        if not (place / presets.MANIFEST).is_file():
            fail(f'Preset "{name}" not found: `ccr preset list`')
        return presets.load(place)
    except presets.PresetError as error:
        fail(str(error))


def _by(manifest: Mapping[str, Any]) -> str:
    return f"by {manifest['author']}" if manifest.get("author") else ""


def _ask(question: Mapping[str, Any]) -> Any:
    """One question of a preset's schema, at the terminal or from lines on stdin."""
    label = clean(str(question.get("prompt") or question.get("label") or question.get("id")))
    default, kind = question.get("defaultValue"), question.get("type")
    if kind == "confirm":
        return click.confirm(label, default=bool(default))
    if default is None and question.get("required") is False:
        default = ""
    if kind == "password":
        return secret(label, default=default)
    options = question.get("options")
    static = options.get("options") if isinstance(options, dict) else options
    values = [one.get("value") for one in static or () if isinstance(one, dict)]
    if kind in ("select", "multiselect") and values:
        label += f" ({', '.join(clean(str(value)) for value in values)})"
    given = click.prompt(label, default, type=float if kind == "number" else str)
    return [each.strip() for each in str(given).split(",")] if kind == "multiselect" else given
