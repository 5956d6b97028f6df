"""`vpp run`: leads a site until it is told to stop."""

import argparse
import asyncio

from vpp.clock import WallClock
from vpp.commands.telling import Teller
from vpp.daemon import Leading, run_site
from vpp.output import Output
from vpp.state_folder import folder_beside


def run(options: argparse.Namespace, output: Output) -> None:
    """Lead the site, and tell on stderr what changes."""
    state = options.state or folder_beside(options.site)
    teller = Teller(output)

    def started(leading: Leading) -> None:
        site = leading.operation.settings.site_id
        epoch = leading.operation.dispatcher.leases.epoch
        output.say(f"vpp run: leads {site} over {leading.address}, term {epoch}, state in {state}")
        teller.follow(leading.operation)

    stopped_by = asyncio.run(run_site(options.site, state, WallClock(), on_start=started, each=teller.tick))
    output.say("vpp run: ended in order; devices keep their set-points until their leases end")
    if stopped_by == "SIGINT":
        raise KeyboardInterrupt
