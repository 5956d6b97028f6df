"""What does `vpp explain` say where there are scenarios? Whose figures are told, and what counts for all of them."""

from vpp.domain.plan import Account, Plan, Spread
from vpp.report.why import beside, is_price
from vpp.report.wording import NARROW_SPACE, money, number, quantity, signed


def whose_figures(plan: Plan) -> str:
    """Of which scenario worths, powers and reasons are told; empty where nothing is uncertain."""
    spread = plan.spread
    if spread is None:
        return ""
    shown = spread.outcomes[spread.shown]
    return f"Told of {shown.name}, {_percent(shown.weight)} likely, as if it were certain from the first step on."


def on_average(plan: Plan) -> str:
    """What to say after a sum of money that is a mean."""
    return "" if plan.spread is None else f" on average over {len(plan.spread.outcomes):,} scenarios"


def in_every_scenario(plan: Plan) -> str:
    """How a wanted power is meant; empty where nothing is uncertain."""
    spread = plan.spread
    if spread is None:
        return ""
    name = spread.outcomes[spread.shown].name
    return f"It is held in every scenario; what is planned there, and what changes, is told of {name}."


def worst_row(plan: Plan, other: Plan) -> list[tuple[str, str, str, str]]:
    """What the worst scenarios come to in two plans; nothing where nothing is uncertain."""
    if plan.spread is None or other.spread is None:
        return []
    then, now = plan.spread.cvar, other.spread.cvar
    name = f"worst {_percent(1 - plan.spread.cvar_alpha)}".replace(NARROW_SPACE, " ")
    return [(name, money(then), money(now), signed(now - then, 2))]


def meter_beside_schedule(plan: Plan, spread: Spread, account: Account, step: int) -> str:
    """What a MWh out of an asset is worth where energy is sold ahead, and what is metered beside it is settled."""
    assert spread.scheduled_kw is not None, "energy is sold ahead"
    assert spread.shortfall_price_per_mwh is not None, "a shortfall has its price"
    assert spread.surplus_price_per_mwh is not None, "a surplus has its price"
    shortfall, surplus = money(spread.shortfall_price_per_mwh[step]), money(spread.surplus_price_per_mwh[step])
    match beside(plan, step):
        case 1:
            exact, price, metered = "the price of a surplus", f"{surplus} for a surplus", "more than"
        case -1:
            exact, price, metered = "the price of a shortfall", f"{shortfall} for a shortfall", "less than"
        case _:
            price, metered = f"{surplus} for a surplus and {shortfall} for a shortfall", "just"
            exact = f"between {price}"
    why = f"{metered} the {quantity(spread.scheduled_kw[step])}{NARROW_SPACE}kW sold ahead is metered"
    told = f"A MWh out of it is worth {money(account.meter_per_mwh[step])}{NARROW_SPACE}{plan.money.currency} here"
    if is_price(plan, account, step):
        return f"{told}, {exact}: {why}."
    return f"{told}, with {price}, because {why}: what limits or charges the site makes the difference."


def _percent(share: float) -> str:
    return f"{number(100 * share, 0 if round(100 * share, 6).is_integer() else 1)}{NARROW_SPACE}%"
