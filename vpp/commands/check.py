"""`vpp check`: finds every fault of a site file, or prints what a site file may say."""

import argparse
import json
from datetime import UTC, datetime

from optimizer.problem import Problem
from vpp.domain.errors import Fault, InputError
from vpp.intake import Request, take_in
from vpp.output import Output
from vpp.report.terminal import sentences, table
from vpp.report.wording import Calendar
from vpp.site import SiteFile


def run(options: argparse.Namespace, output: Output) -> None:
    """Check a site file and all it refers to, for the day that `vpp plan` would plan."""
    if options.schema:
        schema = SiteFile.model_json_schema()
        output.result(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", schema)
        return
    if options.site is None:
        raise InputError(
            [Fault("command line", "SITE.yaml", "–", "is required without --schema")], "nothing was checked"
        )
    try:
        case = take_in(Request(options.site), datetime.now(UTC))
    except InputError as error:
        raise InputError(error.faults, "the site file has faults") from error
    problem, calendar = case.problem, Calendar(case.problem.horizon)
    rows = [(premise.input, premise.check, premise.verdict) for premise in case.premises]
    series = [row for row, premise in zip(rows, case.premises, strict=True) if premise.age_s is not None]
    others = [f"{name}, {verdict}: {check}." for name, check, verdict in rows if (name, check, verdict) not in series]
    lines = [
        f"{options.site}: no faults",
        f"  {problem.site_name}   {calendar.title()}   {calendar.steps()}",
        *_scenarios(problem),
        "",
        *table(("Input", "check", "verdict"), series, numbers_from=3),
        *([""] if others else []),
        *(line for told in others for line in sentences(told, output.width)),
    ]
    document = {
        "site_id": problem.site_id,
        "assets": [asset.id for asset in problem.assets],
        "next_day": calendar.days[0].isoformat(),
        "scenarios": [{"name": scenario.name, "weight": scenario.weight} for scenario in problem.scenarios],
        "premises": [{"input": name, "check": check, "verdict": verdict} for name, check, verdict in rows],
    }
    output.result("\n".join(lines) + "\n", document)


def _scenarios(problem: Problem) -> list[str]:
    """How many scenarios there are, and how likely each is; nothing where nothing is uncertain."""
    if not problem.scenarios:
        return []
    told = ", ".join(f"{scenario.name} {100 * scenario.weight:.4g} %" for scenario in problem.scenarios)
    return [f"  {len(problem.scenarios):,} scenarios: {told}"]
