"""The configuration as the router uses it: immutable, resolved, one object per generation.

`router.config` builds a Generation from files and the environment; a reload builds the next one
beside it and swaps the reference. A request keeps the generation it began with. Nothing here knows
about files, JSON or YAML. A file for each subject; everybody imports from here.
"""

from __future__ import annotations

from router.settings.generation import Generation
from router.settings.groups import Deployment, Groups, RetryPolicy, Strategy
from router.settings.providers import (
    LONGEST_NAME,
    Adjustment,
    Auth,
    Price,
    Provider,
    Target,
    Timeouts,
)
from router.settings.routes import (
    SCENARIOS,
    CustomRouter,
    Hooks,
    Personal,
    Preset,
    Routes,
    Scenario,
)
from router.settings.secrets import NO_KEY, Secret
from router.settings.serving import (
    DOORS,
    Budget,
    Limits,
    Listen,
    LiteLLMVersion,
    Otlp,
    ResponseCaching,
    Role,
    Signal,
    Site,
)
