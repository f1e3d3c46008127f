"""`pointsman web`: the console in a browser."""

from __future__ import annotations

from typing import get_args

import click

from router.contract import Role

section = "Run"


@click.command()
@click.option("--role", type=click.Choice(get_args(Role)), default="admin", help="What it may do")
@click.option("--keep", is_flag=True, help="For any number of browsers, until the router ends")
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser")
def command(role: Role, keep: bool, open_it: bool) -> None:
    """Print a link that opens the console in a browser.

    It is good for one browser and ten minutes. From another machine, take it through a tunnel:
    ssh -L 5000:localhost:5000 -p 2222 HOST.
    """
    from console.web.ticket import give

    give("/console/", role, once=not keep, open_it=open_it)
