"""LiteLLM's `/health`, from what is known: the real one makes billed calls, ours never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.service import Router


def health(router: Router, model: str = "", model_id: str = "") -> dict[str, object]:
    """LiteLLM's shape, from what is known without a call. `model`: only what serves that name, or
    is the model behind one; `model_id`: only that deployment."""
    services = {view.name: view for view in router.services()}
    healthy: list[dict[str, object]] = []
    unhealthy: list[dict[str, object]] = []
    groups = router.generation.groups.deployments.values()
    for deployment in (one for group in groups for one in group):
        provider = deployment.target.provider
        if model not in ("", deployment.group, deployment.called) or model_id not in (
            "",
            deployment.id,
        ):
            continue
        service = services.get(provider)
        endpoint: dict[str, object] = {"model": deployment.group, "provider": provider}
        if service is not None and service.state in ("down", "degraded"):
            unhealthy.append(endpoint | {"error": service.reason})
        else:
            healthy.append(endpoint)
    return {
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
        "healthy_count": len(healthy),
        "unhealthy_count": len(unhealthy),
    }
