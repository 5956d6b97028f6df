"""Which machines of a store ran when a plan begins?"""

from optimizer.problem import State
from optimizer.storage.machines import TwoMachines

RUNS_SHARE = 0.005
"""A machine runs if the power at the meter is further than this share of its rating from that of a store at rest."""


def ran_before(store: TwoMachines, state: State | None) -> tuple[int, int]:
    """How many units charged, and how many discharged; none where no power was measured."""
    if state is None or state.export_kw is None:
        return 0, 0
    moved_kw = state.export_kw + store.rest_load_kw
    if 0 < RUNS_SHARE * store.charger.power_kw < -moved_kw:
        return min(max(1, round(-moved_kw / store.charger_unit_kw)), store.charger_count), 0
    return 0, int(0 < RUNS_SHARE * store.discharger.power_kw < moved_kw)
