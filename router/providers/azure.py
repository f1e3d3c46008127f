"""Azure OpenAI by its v1 API: the model's name is the deployment's. An address with
`/deployments/{model}/…?api-version=…` is used as it is written."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="azure",
    title="Azure OpenAI",
    telemetry="azure.ai.openai",
    base="https://{resource}.openai.azure.com/openai/v1",
    hosts="*.openai.azure.com",
    auth="api-key",
    sign_in="azure",
    keys=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    litellm=("azure",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        # A deployment's name tells its model only where people named it so.
        reasoning_models=("gpt-5", "gpt-6", "o1", "o3", "o4"),
        fixed_sampling=("gpt-5", "gpt-6", "o1", "o3", "o4"),
        max_tokens_field="max_completion_tokens",
    ),
)
