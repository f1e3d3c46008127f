"""What runs on each counted deployment, what it used in this minute, and how fast it answered.

The clock is handed in. Holds only deployments whose strategy or bounds need it. Minutes are fixed,
as LiteLLM's are, so a bound frees up all at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from router.settings import Deployment

MINUTE = 60.0
#: answers remembered for the pace of a deployment
PACES = 10
#: what a timeout counts as, in seconds per token: LiteLLM's own figure
TIMED_OUT = 1000.0
#: deployments remembered; configurations have fewer
REMEMBERED = 10_000


@dataclass(slots=True)
class _Load:
    running: int = 0
    minute: int = -1
    requests: int = 0
    tokens: int = 0
    paces: deque[float] = field(default_factory=lambda: deque(maxlen=PACES))
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Loads:
    def __init__(self) -> None:
        self._loads: dict[str, _Load] = {}

    def running(self, deployment: Deployment) -> int:
        load = self._loads.get(deployment.id)
        return load.running if load else 0

    def used(self, deployment: Deployment, now: float) -> tuple[int, int]:
        """Requests and tokens of this minute."""
        load = self._loads.get(deployment.id)
        if load is None or load.minute != int(now // MINUTE):
            return 0, 0
        return load.requests, load.tokens

    def pace(self, deployment: Deployment) -> float | None:
        """Mean seconds per token of the newest answers, or to the first token of streams."""
        load = self._loads.get(deployment.id)
        return sum(load.paces) / len(load.paces) if load and load.paces else None

    def spent(self, deployment: Deployment, now: float) -> float:
        """Seconds until a bound of this minute frees up; 0 when there is room."""
        if deployment.rpm is None and deployment.tpm is None:
            return 0.0
        requests, tokens = self.used(deployment, now)
        over = (deployment.rpm is not None and requests >= deployment.rpm) or (
            deployment.tpm is not None and tokens >= deployment.tpm
        )
        return MINUTE - now % MINUTE if over else 0.0

    def full(self, deployment: Deployment) -> bool:
        """Whether as many requests run on it as may at once."""
        return deployment.parallel is not None and self.running(deployment) >= deployment.parallel

    def began(self, deployment: Deployment, now: float) -> None:
        if len(self._loads) > REMEMBERED:
            self._loads = {id: load for id, load in self._loads.items() if load.running}
        load = self._loads.setdefault(deployment.id, _Load())
        minute = int(now // MINUTE)
        if load.minute != minute:
            load.minute, load.requests, load.tokens = minute, 0, 0
        load.running += 1
        load.requests += 1

    def ended(self, deployment: Deployment, now: float, tokens: int, pace: float | None) -> None:
        """`pace` None: nothing was learned of its speed."""
        load = self._loads.get(deployment.id)
        if load is None:
            return
        load.running = max(0, load.running - 1)
        if load.minute == int(now // MINUTE):
            load.tokens += tokens
        if pace is not None:
            load.paces.append(pace)
        while load.waiting:  # all of them: who waited may be gone, and they look again in order
            turn = load.waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def turn(self, deployment: Deployment) -> asyncio.Future[None]:
        """Done when one of its running requests has ended; then look again whether it is full."""
        turn = asyncio.get_running_loop().create_future()
        self._loads.setdefault(deployment.id, _Load()).waiting.append(turn)
        return turn
