"""What may stand on the command line of the commands that run a site, or look at one that runs."""

import argparse
import re
from pathlib import Path
from typing import Any

from vpp.domain.override import LONGEST_S, Action

Commands = Any
"""What `argparse` returns for its subcommands; it has no public name."""

FASTEST = 600
"""Ten minutes of a site's time in a second of ours."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def add_running(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands that run a site."""
    demo = commands.add_parser("demo", parents=[shared], help="show it all: broker, devices and dispatcher, no set-up")
    demo.add_argument("--site", default="tiny", metavar="NAME", help="a shipped site (default: tiny)")
    demo.add_argument(
        "--speed", type=_speed, metavar="N", help="seconds of the site's time in one of ours (default: 60)"
    )
    demo.add_argument("--once", action="store_true", help="end after one simulated day, with a summary")

    run = commands.add_parser("run", parents=[shared], help="lead a site: the daemon")
    _add_site(run)
    run.add_argument(
        "--state", type=Path, metavar="DIR", help="journal, epoch and lock (default: .vpp beside the site)"
    )

    simulate = commands.add_parser("simulate", parents=[shared], help="run a site's devices as MQTT clients")
    _add_site(simulate)
    simulate.add_argument("--scenario", type=Path, metavar="FILE", help="what happens to the site, and when")

    override = commands.add_parser("override", parents=[shared], help="take over an asset or the site, for a time")
    _add_site(override)
    override.add_argument("asset", metavar="ASSET", help="an asset, or `site` for all of them")
    override.add_argument("action", choices=[action.value for action in Action], metavar="ACTION", help=_actions())
    override.add_argument("value", nargs="?", metavar="VALUE", help="kW out of the asset, or what the action takes")
    override.add_argument("--for", type=duration_s, dest="duration_s", metavar="TIME", help="such as 90s, 15m or 2h")
    override.add_argument("--reason", required=True, metavar="TEXT", help="why; it stands in the journal")
    override.add_argument("--operator", metavar="NAME", help="who asks (default: your login name)")

    status = commands.add_parser("status", parents=[shared], help="who is in control, and what every asset does")
    _add_site(status)
    status.add_argument("--all", action="store_true", help="every asset, also those on plan")


def duration_s(text: str) -> float:
    """A duration such as `90s`, `15m` or `2h`, in seconds.

    Raises:
        ArgumentTypeError: it is none, or too long for an override.

    """
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration of up to 4 hours; write it as 90s, 15m or 2h")
    return seconds


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; write a number from 1 to {FASTEST}")
    return speed


def _actions() -> str:
    return ", ".join(action.value for action in Action)


def _add_site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", type=Path, metavar="SITE.yaml", help="the site file")
