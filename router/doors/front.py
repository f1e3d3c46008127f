"""The front door's own pages: what is served here, and the health of all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from router.contract import VERSION
from router.doors.call import Call

if TYPE_CHECKING:
    from router.service import Router

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Pointsman</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }}
  body {{ max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }}
  code {{ font-size: .92em; }} td {{ padding: .1rem 1.2rem .1rem 0; }}
</style>
<h1>Pointsman {version}</h1>
<p>The router is running. Open the console with <code>pointsman</code>{ssh}.</p>
<table>
<tr><td>LiteLLM API<td><code>{base}/litellm/v1/</code>
<tr><td>CCR API<td><code>{base}/ccr/v1/</code>
<tr><td>Claude Code<td><code>ANTHROPIC_BASE_URL={base}/claude-code claude</code>
<tr><td>Health<td><a href="/health"><code>{base}/health</code></a>
</table>
</html>
"""

#: pages of the usage guide that are other programs' own
_NEIGHBOURS = {
    "/chat": "; a chat page such as OpenWebUI runs on its own and takes /litellm/v1 as its API",
    "/n8n": "; n8n runs on its own and takes /litellm/v1 as its API",
}


async def front(router: Router, call: Call) -> None:
    match call.method, call.path:
        case "GET" | "HEAD", "" | "/":
            listen = router.generation.listen
            page = _PAGE.format(
                version=VERSION,
                base=f"http://localhost:{listen.port}",
                ssh=f" or <code>ssh -p {listen.ssh_port} developer@localhost</code>"
                if listen.ssh_port
                else "",
            )
            await call.answer(
                200,
                page.encode(),
                "text/html; charset=utf-8",
                [("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")],
            )
        case "GET" | "HEAD", "/health":
            await call.json(200, _health(router))
        case _:
            await call.json(
                404,
                {
                    "error": {
                        "message": f"there is nothing at {call.path}; the APIs are at"
                        " /litellm/v1, /ccr/v1 and /claude-code/v1"
                        + _NEIGHBOURS.get("/" + call.path.split("/")[1], ""),
                        "type": "not_found_error",
                    }
                },
            )


def _health(router: Router) -> dict[str, object]:
    """Every service from what is already known: no call is made for it."""
    services = router.services()
    worst = any(s.kind == "role" and s.state == "down" for s in services)
    return {
        "status": "degraded" if worst else "ok",
        "version": VERSION,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "uptime_seconds": round(router.now() - router.began, 1),
        "simulated_only": router.simulated_only(),
        "services": {
            service.name: {
                "state": service.state,
                "mode": service.mode,
                "reason": service.reason,
            }
            for service in services
        },
    }
