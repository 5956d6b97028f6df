"""A problem that goes on after its end as it was in its last step."""

from dataclasses import replace

from optimizer.problem import Energy, Imbalance, Problem


def longer(problem: Problem, more: int) -> Problem:
    """The problem with so many more steps like its last one: its prices, its series, the capacity that is held."""

    def on(values: tuple[float, ...]) -> tuple[float, ...]:
        return values + values[-1:] * more

    def energy_on(energy: Energy) -> Energy:
        return replace(
            energy,
            import_price_per_mwh=on(energy.import_price_per_mwh),
            export_price_per_mwh=energy.export_price_per_mwh and on(energy.export_price_per_mwh),
            imbalance=energy.imbalance and imbalance_on(energy.imbalance),
        )

    def imbalance_on(imbalance: Imbalance) -> Imbalance:
        return replace(
            imbalance,
            shortfall_price_per_mwh=on(imbalance.shortfall_price_per_mwh),
            surplus_price_per_mwh=on(imbalance.surplus_price_per_mwh),
        )

    return replace(
        problem,
        horizon=replace(problem.horizon, count=problem.horizon.count + more),
        energy=energy_on(problem.energy),
        reserves=tuple(replace(reserve, hold_kw=on(reserve.hold_kw)) for reserve in problem.reserves),
        series={name: on(values) for name, values in problem.series.items()},
        scenarios=tuple(
            replace(s, series={name: on(values) for name, values in s.series.items()}, energy=energy_on(s.energy))
            for s in problem.scenarios
        ),
    )
