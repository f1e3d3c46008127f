"""Open WebUI, a chat page. It cannot live under a path: its pages ask for /_app, /static and /api
at the root (0.12.4), so it gets a name of its own and the path only leads there."""

from __future__ import annotations

from router.neighbours import Means, Program


def _environment(means: Means) -> dict[str, str]:
    return {
        "DATA_DIR": str(means.data),
        "OPENAI_API_BASE_URL": means.api,
        "OPENAI_API_KEY": means.key,
        "ENABLE_OLLAMA_API": "False",  # the router offers Ollama's models
        # the router sees whole conversations only if it is told which chat a request belongs to
        "ENABLE_FORWARD_USER_INFO_HEADERS": "True",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "ENABLE_VERSION_UPDATE_CHECK": "False",
        "RAG_EMBEDDING_ENGINE": "openai",  # else it loads a model of its own, from the network
        "WEBUI_AUTH": "False",  # one person's, on this machine; with it others would need accounts
    }


PROGRAM = Program(
    name="chat",
    title="Open WebUI",
    port=8080,
    path="/chat",
    host="chat.localhost",
    health="/api/config",
    marker='"name":"Open WebUI"',
    command=("open-webui", "serve", "--host", "127.0.0.1", "--port", "{port}"),
    environment=_environment,
    about="chat",
    install="pip install open-webui",
    stand_in="playground",
)
