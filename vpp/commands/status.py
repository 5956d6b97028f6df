"""`vpp status`: who is in control, what is wrong, and what every asset does."""

import argparse
import asyncio
from typing import Any

from adapters.address import Address
from vpp.client import visit
from vpp.daemon import address_for, read_site
from vpp.output import Output
from vpp.report.live import status_text
from vpp.site import SiteFile


def run(options: argparse.Namespace, output: Output) -> None:
    """Look once, and print."""
    site_file = read_site(options.site)
    status = asyncio.run(_look(site_file, address_for(options.site, site_file)))
    name, zone = site_file.site.name or site_file.site.id, site_file.site.timezone
    text = status_text(status, name, zone, shows_all=options.all)
    output.result(text, status)


async def _look(site_file: SiteFile, address: Address) -> dict[str, Any]:
    async with visit(site_file.site.id, address) as place:
        return await place.look()
