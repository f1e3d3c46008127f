"""What a console may have done: each action, and what comes of it.

One rule: who did it is written to the log, and every console is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract import (
    Action,
    Cancel,
    ClearCooldown,
    ClearOverride,
    ClientKeys,
    Dismiss,
    Done,
    Explain,
    Invite,
    OverridesChanged,
    Pause,
    Redeem,
    Refused,
    Reload,
    Result,
    Resume,
    ServicesChanged,
    SetOverride,
    ShowKeys,
    StartNeighbour,
    Stop,
    StopNeighbour,
)
from router.control.answers import answer, said_by, weighed
from router.control.explain import explain
from router.control.invitations import by_key
from router.control.pausing import pause
from router.overrides import BadOverrideError, odd
from router.process.tending import CannotTendError

if TYPE_CHECKING:
    from router.service import Router


async def act(router: Router, action: Action) -> Result:
    match action:
        case SetOverride():
            return _set_override(router, action)
        case ClearOverride():
            return _clear_override(router, action)
        case Cancel():
            return _cancel(router, action)
        case StartNeighbour() | StopNeighbour():
            return await _neighbour(router, action)
        case Reload():
            router.log.info("control", f"{said_by(action.by)}reload")
            refused = await router.reload()
            if refused:
                return Refused(refused)
            return Done(f"generation {router.generation.number}")
        case Pause() | Resume():
            return await pause(router, action)
        case ClearCooldown():
            return _wake(router, action)
        case Explain():
            return await explain(
                action,
                router.formats,
                router.generation,
                router.means,
                router.overrides.in_force(),
                router.wall(),
            )
        case Stop():
            router.log.info(
                "control", f"{said_by(action.by)}{'restart' if action.again else 'stop'}"
            )
            router.stop(again=action.again)
            return Done("stopping")
        case Dismiss() | Invite() | Redeem() | ShowKeys():
            return _guests(router, action)
        case _:
            return await answer(router, action)


def _set_override(router: Router, action: SetOverride) -> Result:
    try:
        view = router.overrides.set(action, router.generation)
    except BadOverrideError as error:
        return Refused(str(error))
    _overridden(router)
    router.log.info("control", f"{said_by(action.by)}override {view.scope} → {view.target}")
    said = f"{view.scope} → {view.target}"
    lost = (odd(view.target, router.generation), weighed(router, view.scope, view.target))
    warning = "; ".join(words for words in lost if words)
    return Done(f"{said}; {warning}" if warning else said, override=view, warning=warning)


def _clear_override(router: Router, action: ClearOverride) -> Result:
    cleared = router.overrides.clear(action.id)
    if not cleared and action.id != "all":
        return Refused(f"there is no override {action.id!r}")
    _overridden(router)
    by = said_by(action.by)
    router.log.info("control", f"{by}cleared {cleared} override{'s' * (cleared != 1)}")
    return Done(f"cleared {cleared}")


def _cancel(router: Router, action: Cancel) -> Result:
    record = router.live.running.get(action.id)
    if record is None:
        return Refused(f"no request {action.id!r} is running")
    record.stop("operator")
    router.log.info("control", f"{said_by(action.by)}cancelled", request=action.id)
    return Done(f"cancelled {action.id}")


def _guests(router: Router, action: Dismiss | Invite | Redeem | ShowKeys) -> Result:
    """Who may come in by a browser, and who has to go; and what clients show at the doors."""
    match action:
        case ShowKeys():
            roles = (router.generation.ccr, router.generation.litellm)
            return ClientKeys(*(r.keys[0].reveal() if r.keys else "" for r in roles))
        case Invite():
            router.log.info("control", f"{said_by(action.by)}invited a browser as {action.role}")
            return router.invitations.invite(action)
        case Redeem(key=""):
            return router.invitations.redeem(action.ticket) or Refused(
                "this ticket was used, or is too old: `pointsman web` gives another"
            )
        case Redeem():
            return by_key(action.key, router.generation) or Refused("this key opens no console")
        case Dismiss():
            count = router.visitors.dismiss(action.who)
            if not count:
                return Refused(f"nobody is here as {action.who!r}")
            router.log.info("control", f"{said_by(action.by)}dismissed {action.who}")
            return Done(f"dismissed {count}")


async def _neighbour(router: Router, action: StartNeighbour | StopNeighbour) -> Result:
    """Starts or stops a program behind the front door."""
    sites = router.generation.sites
    site = next((s for s in sites if s.name == action.name), None)
    names = ", ".join(s.name for s in sites) or "none is configured"
    nobody = f"there is no neighbour {action.name!r}: {names}"
    try:
        if isinstance(action, StopNeighbour):
            router.log.info("control", f"{said_by(action.by)}stop {action.name}")
            await router.tending.stop(action.name)
            if site is not None:
                await router.health.probes.recognise(site)
            return Done(f"{action.name} is stopped")
        if site is None:
            return Refused(nobody)
        router.log.info("control", f"{said_by(action.by)}start {site.name}")
        router.tending.start(site)
    except CannotTendError as error:
        return Refused(str(error) if site is not None else nobody)
    return Done(f"{site.title} is starting: {site.url}, through us at {site.path or site.host}")


def _overridden(router: Router) -> None:
    router.live.tell(OverridesChanged(router.overrides.views(router.generation)))


def _wake(router: Router, action: ClearCooldown) -> Result:
    if router.generation.provider(action.provider) is None:
        return Refused(f"no provider is named {action.provider!r}")
    count = router.cooldowns.clear(action.provider)
    router.live.tell(ServicesChanged(router.services()))
    router.log.info("control", f"{said_by(action.by)}cleared the rest of {action.provider}")
    return Done(f"{action.provider} is asked again" if count else "nothing rested there")
