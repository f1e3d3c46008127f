"""What a router shows and takes: the words that router, ledger and consoles share.

A file for each subject; everybody imports from here. Nothing of ours is imported, so that a console
can import it alone. All is msgspec Structs: they go over the control socket as JSON and are decoded
into the same types on the other side. They are trees of values, never rings: the garbage collector
need not look at them (gc=False).

Four verbs:
    snapshot()  all that a console needs to draw at once                    GET  /snapshot
    watch()     a bounded stream of changes; drops, and says so             GET  /watch   (NDJSON)
    query()     pages of history: read from the ledger itself, see storage/readers.py
    act()       one typed action, one typed result                          POST /act

A front that lets people in (SSH, the browser) announces each of them by a call of POST /visit that
lasts as long as their visit: its first line is a Visitor, and a second one means that they were
dismissed.

Money is in integer nano-dollars, None where a price is unknown. Times are Unix seconds (float,
UTC); durations are milliseconds and end in `_ms`. Text from outside is raw here: a terminal gets it
only through console.text.clean.
"""

from __future__ import annotations

from router.contract.actions import (
    Action,
    AddModels,
    Cancel,
    ClearCooldown,
    ClearOverride,
    Dismiss,
    EditRoutes,
    Explain,
    Invite,
    ListModels,
    Pause,
    Question,
    Recost,
    Redeem,
    Reload,
    ReplayRoutes,
    Resume,
    SetOverride,
    ShowKeys,
    ShowRoutes,
    StartNeighbour,
    Stop,
    StopNeighbour,
    UndoRoutes,
    WeighOverride,
)
from router.contract.alerts import AlertKind, AlertView
from router.contract.costs import BranchLine, BudgetView, CostLine, CostPoint, Totals
from router.contract.findings import Finding, Imported, ImportLine, Listener
from router.contract.history import Figure, LogFilter, LogLine, RequestFilter
from router.contract.overrides import OverrideView
from router.contract.requests import AttemptView, Facts, Look, RequestDetail, RequestView, State
from router.contract.results import (
    ClientKeys,
    Done,
    Edited,
    Explained,
    Invitation,
    Invited,
    Models,
    Recosted,
    Refused,
    Replayed,
    Result,
    Routes,
)
from router.contract.routes import ModelView, Move, PriceLine, RouteValue, RuleView
from router.contract.services import (
    CELLS,
    SPAN,
    Circuit,
    Condition,
    Loaded,
    ServiceChange,
    ServiceView,
)
from router.contract.snapshot import (
    HANDED_OVER,
    MOST_HANDED_OVER,
    PROTOCOL,
    VERSION,
    AlertRaised,
    Beat,
    Change,
    Dropped,
    OverridesChanged,
    PausedChanged,
    Reloaded,
    ServicesChanged,
    Snapshot,
    VisitorsChanged,
)
from router.contract.usage import Apart, Spend, Tokens
from router.contract.visits import Arrival, Role, Visitor
