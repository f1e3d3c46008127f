"""`ccr status`: in Claude Code Router's own words, so that what reads them goes on working."""

from __future__ import annotations

import asyncio

import click

from console.output import DOWN, fail, out
from console.text import clean

section = "Service"


@click.command()
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Show whether the router runs, and where."""
    from console.claude import base_url
    from console.process.presence import running, silence
    from storage.home import home

    here = home()
    snapshot = asyncio.run(running(here))
    out()
    out("📊 Claude Code Router Status")
    out("═" * 40)
    if snapshot is None:
        words = silence(here)
        out(f"❌ Status: {'Not Answering' if words else 'Not Running'}")
        out()
        if words:
            fail(words, DOWN)
        out("💡 To start the service:")
        out("   ccr start")
        out()
        ctx.exit(DOWN)
    url = clean(base_url(snapshot))
    out("✅ Status: Running")
    out(f"🆔 Process ID: {snapshot.pid}")
    out(f"🌐 Port: {url.removeprefix('http://').partition('/')[0].rpartition(':')[2] or 'off'}")
    out(f"📡 API Endpoint: {url or 'off'}")
    out(f"📄 PID File: {here.lock}")
    out()
    out("🚀 Ready to use! Run the following commands:")
    out("   ccr code    # Start coding with Claude")
    out("   ccr stop   # Stop the service")
    out()
