"""n8n, workflows. N8N_PATH only changes the links it writes: it still serves at the root, so the
path is taken off (2.41.1)."""

from __future__ import annotations

from router.neighbours import Means, Program


def _environment(means: Means) -> dict[str, str]:
    return {
        "N8N_USER_FOLDER": str(means.data),
        "N8N_PORT": str(means.port),
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_PATH": f"{means.path}/",
        "N8N_EDITOR_BASE_URL": f"{means.front}{means.path}/",
        "WEBHOOK_URL": f"{means.front}{means.path}/",
        "N8N_PROXY_HOPS": "1",
        "N8N_SECURE_COOKIE": "false",  # plain HTTP, on this machine
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
    }


PROGRAM = Program(
    name="n8n",
    title="n8n",
    port=5678,
    path="/n8n",
    health="/rest/settings",
    marker='"settingsMode"',
    command=("n8n", "start"),
    environment=_environment,
    about="workflows",
    install="npm install -g n8n",
)
