"""`vpp simulate`: a site's devices as MQTT clients, until it is told to stop."""

import argparse
import asyncio
from pathlib import Path

from pydantic import ValidationError

from adapters.address import Address
from adapters.mqtt import MqttLink, UnreachableBrokerError
from adapters.scenario import Scenario
from adapters.session import Session
from adapters.simulator import Fleet, run_over_mqtt
from adapters.topics import Topics
from vpp.clock import WallClock
from vpp.daemon import address_for, ending, read_site
from vpp.document import read_document
from vpp.domain.errors import Fault, InputError
from vpp.faults import faults_of, path_text
from vpp.output import Output
from vpp.rehearsal import SEED, parts_of
from vpp.site import SiteFile


def run(options: argparse.Namespace, output: Output) -> None:
    """Run the devices over the site's broker."""
    site_file = read_site(options.site)
    scenario = None if options.scenario is None else read_scenario(options.scenario, site_file)
    address = address_for(options.site, site_file)
    try:
        asyncio.run(_simulate(options.site, site_file, scenario, address, output))
    except* UnreachableBrokerError as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def read_scenario(path: Path, site_file: SiteFile) -> Scenario:
    """A scenario file that fits a site.

    Raises:
        InputError: with every fault.

    """
    document = read_document(path)
    try:
        scenario = Scenario.model_validate(document.values)
    except ValidationError as error:
        raise InputError(faults_of(error, document, Scenario), "nothing was simulated") from error
    misplaced = list(scenario.misplaced([asset.unit() for asset in site_file.assets]))
    if misplaced:
        faults = [
            Fault(str(path), path_text(m.path), f'"{m.value}"', m.problem, m.remedy, document.line(m.path))
            for m in misplaced
        ]
        raise InputError(faults, "nothing was simulated")
    return scenario


async def _simulate(
    path: Path, site_file: SiteFile, scenario: Scenario | None, address: Address, output: Output
) -> None:
    clock, topics = WallClock(), Topics(site_file.site.id)

    def make_link(session: Session) -> MqttLink:
        return MqttLink(address, session, topics.heartbeat(session.client_id))

    seed = SEED if scenario is None else scenario.seed
    parts = parts_of(path, site_file, clock.now(), seed, scenario)
    fleet = Fleet(site_file.site.id, parts, make_link, clock, scenario=scenario, period_s=site_file.devices.tick_s)
    stop = asyncio.Event()
    with ending(stop):
        names = ", ".join(unit.id for unit, _ in parts)
        output.say(f"vpp simulate: {len(parts)} devices of {site_file.site.id} at {address}: {names}")
        await run_over_mqtt(fleet, stop, min(1.0, site_file.devices.tick_s))
