"""Configuration: what people wrote and what is there, made into one settings.Generation.

probes = await probe(addresses(env))
generation = load(home, env, flags, 1, probes)      # raises ConfigError
async for _ in watch(files(home, flags)): …         # load again, beside the running one
"""

from router.config.flags import Flags
from router.config.loading import load
from router.config.probes import Neighbour, Probes, addresses, probe
from router.config.watching import files, made_next, watch

__all__ = [
    "Flags",
    "Neighbour",
    "Probes",
    "addresses",
    "files",
    "load",
    "made_next",
    "probe",
    "watch",
]
