"""`vpp override`: asks a running site for something, and shows what was accepted or clipped, and why."""

import argparse
import asyncio
import getpass
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.address import Address
from vpp.client import Order, visit
from vpp.daemon import address_for, read_site
from vpp.domain.errors import Fault, InputError
from vpp.domain.override import SITE, Action, Answer, AnswerStatus
from vpp.output import Output
from vpp.report.wording import clock
from vpp.site import SiteFile

NUMBERS = (Action.SET_EXPORT_KW, Action.LIMIT_KW)
"""Actions that take a power."""
WORDS = (Action.SET_MODE, Action.ACK_ALARM, Action.SHELVE_ALARM)
"""Actions that take a word."""


def run(options: argparse.Namespace, output: Output) -> None:
    """Send the request, wait, and tell the answer.

    Raises:
        InputError: the request makes no sense, or was rejected.

    """
    site_file = read_site(options.site)
    order = _order(options, site_file)
    answer = asyncio.run(_ask(site_file, address_for(options.site, site_file), order))
    if answer.status is AnswerStatus.REJECTED:
        value = f"{order.action}" if order.value is None else f"{order.action} {order.value}"
        fault = Fault(str(options.site), order.asset, value, f"rejected ({answer.code}): {answer.message}")
        raise InputError([fault], "nothing was changed")
    output.result(_told(options, order, answer, site_file), _document(answer))


def _order(options: argparse.Namespace, site_file: SiteFile) -> Order:
    action = Action(options.action)
    names = [asset.id for asset in site_file.assets] + [SITE]
    faults = []
    if options.asset not in names:
        faults.append(Fault("command line", "ASSET", options.asset, f"must be one of {', '.join(names)}"))
    value: float | str | None = options.value
    if action in NUMBERS:
        try:
            value = float(str(options.value))
        except ValueError:
            faults.append(Fault("command line", "VALUE", str(options.value or "–"), f"{action} needs a number of kW"))
    elif action in WORDS and value is None:
        faults.append(Fault("command line", "VALUE", "–", f"{action} needs a word"))
    if faults:
        raise InputError(faults, "nothing was sent")
    operator = options.operator or re.sub(r"[^A-Za-z0-9_-]", "_", getpass.getuser())[:64]
    duration_s = options.duration_s or site_file.operators.default_duration_s
    return Order(operator, options.asset, action, value, duration_s, options.reason)


async def _ask(site_file: SiteFile, address: Address, order: Order) -> Answer:
    async with visit(site_file.site.id, address, order.operator) as place:
        return await place.ask(order)


def _told(options: argparse.Namespace, order: Order, answer: Answer, site_file: SiteFile) -> str:
    value = "" if order.value is None else f" {order.value:g}" if isinstance(order.value, float) else f" {order.value}"
    lines = [f"{order.asset} {order.action}{value}: {answer.status.upper()} {answer.message}"]
    effect = answer.effective
    if effect is not None and effect.until is not None:
        until = clock(effect.until.astimezone(ZoneInfo(site_file.site.timezone)))
        lines.append(f"  until {until} ({order.duration_s / 60:g} min), then automatic operation is back")
        lines.append(f"  End it sooner:  vpp override {options.site} {order.asset} release --reason done")
    return "\n".join(lines) + "\n"


def _document(answer: Answer) -> dict[str, Any]:
    effect = answer.effective
    return {
        "id": answer.id,
        "at": _utc(answer.at),
        "status": answer.status,
        "code": answer.code,
        "message": answer.message,
        "effective": None
        if effect is None
        else {
            "asset": effect.asset,
            "export_kw": effect.export_kw,
            "until": None if effect.until is None else _utc(effect.until),
        },
    }


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
