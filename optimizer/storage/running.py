"""Which machine of a store ran when a plan begins?"""

from optimizer.problem import State
from optimizer.storage.machines import TwoMachines

RUNS_SHARE = 0.005
"""A machine runs if the power at the meter is further than this share of its rating from that of a store at rest."""


def was_running(store: TwoMachines, state: State | None) -> tuple[bool, bool]:
    """Whether the charging, and whether the discharging machine ran; neither where no power was measured."""
    if state is None or state.export_kw is None:
        return False, False
    moved_kw = state.export_kw + store.rest_load_kw
    return moved_kw < -RUNS_SHARE * store.charger.power_kw, moved_kw > RUNS_SHARE * store.discharger.power_kw
