"""The command `vpp`: reads the command line, runs one command, and turns every failure into words and an exit code."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import date, datetime
from importlib import import_module
from math import inf, isfinite
from pathlib import Path
from typing import Any, NoReturn

from vpp import __version__
from vpp.arguments import add_running
from vpp.domain.errors import Fault, InfeasibleError, InputError, UnavailableError
from vpp.output import Output

DONE, FAILED, BAD_INPUT, NO_ANSWER, UNREACHED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 2 bad input, 3 no feasible answer, 4 a component that does not answer or is held by another,
        130 interrupted; 1 is a fault of this program.

    """
    given = sys.argv[1:] if arguments is None else arguments
    output = Output(is_json="--json" in given, is_ascii="--ascii" in given)
    try:
        options = _parser().parse_args(given)
        code: int | None = import_module(f"vpp.commands.{options.command}").run(options, output)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one supervisor of the command
        if "--debug" in given:
            traceback.print_exc()
        return _told(error, output)
    return DONE if code is None else code


def _told(error: BaseException, output: Output) -> int:
    """Say what went wrong, and with which exit code."""
    match error:
        case InputError():
            code = BAD_INPUT
            output.refuse(error, code)
        case InfeasibleError():
            code = NO_ANSWER
            output.no_answer(error, code)
        case UnavailableError():
            code = UNREACHED
            output.unavailable(error, code)
        case KeyboardInterrupt():
            code = INTERRUPTED
            output.interrupted(code)
        case _:
            code = FAILED
            output.internal_error(error, code)
    return code


class _Parser(argparse.ArgumentParser):
    """Refuses like every other part: without a usage text, and as JSON where that was asked for."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"allow_abbrev": False} | given)

    def error(self, message: str) -> NoReturn:
        is_of_one = message.startswith("argument ")
        place, _, problem = message.removeprefix("argument ").partition(": ") if is_of_one else ("", "", message)
        raise InputError([Fault("command line", place, "", problem, f"See {self.prog} --help.")], "nothing was done")


def _parser() -> argparse.ArgumentParser:
    shared = _Parser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else there")
    shared.add_argument("--ascii", action="store_true", help="print no character above 127")
    shared.add_argument("--debug", action="store_true", help="show where in the program an internal error arose")
    parser = _Parser(prog="vpp", description="Plans and runs virtual power plants.")
    parser.add_argument("--version", action="version", version=f"vpp-dispatcher {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    plan = commands.add_parser("plan", parents=[shared], help="plan a local day, or a span of days, in one solve")
    plan.add_argument("site", type=Path, metavar="SITE.yaml", help="the site file")
    days = plan.add_mutually_exclusive_group()
    days.add_argument("--day", type=_day, metavar="DAY", help="local day, such as 2026-11-23")
    days.add_argument("--from", type=_day, dest="first", metavar="DAY", help="first local day of a span")
    plan.add_argument("--to", type=_day, dest="last", metavar="DAY", help="last local day of the span, included")
    plan.add_argument("--prices", type=Path, metavar="FILE", help="replaces the file of the energy product")
    plan.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="folder of the files (default: out)")
    plan.add_argument("--now", type=_instant, metavar="TIME", help="plan the rest of the day from this instant on")
    plan.add_argument("--state", type=Path, metavar="FILE", help="what was measured at that instant, with --now")
    plan.add_argument("--bundle", action="store_true", help="write run.zip too: the plan and all it was made from")

    explain = commands.add_parser("explain", parents=[shared], help="why each set-point, and what another would cost")
    explain.add_argument(
        "plan", type=Path, metavar="DIR | run.zip", help="the folder that vpp plan wrote, or its bundle"
    )
    explain.add_argument("--asset", metavar="ID", help="one asset")
    explain.add_argument(
        "--at", metavar="TIME", help="one step: a local time such as 17:15, or an instant; with --asset"
    )
    explain.add_argument(
        "--want", type=_power, metavar="KW", help="plan again with this power in that step, positive out; with --at"
    )

    check = commands.add_parser("check", parents=[shared], help="find every fault of a site file")
    check.add_argument("site", type=Path, nargs="?", metavar="SITE.yaml", help="the site file")
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of the site file")

    ageing = commands.add_parser("ageing", parents=[shared], help="count the cycles of a measured state of charge")
    ageing.add_argument("site", type=Path, metavar="SITE.yaml", help="the site file; a store of it has `ageing`")
    ageing.add_argument("trace", type=Path, metavar="TRACE.csv", help="columns start_utc (or at) and soc_fraction")
    ageing.add_argument("--asset", metavar="ID", help="whose trace it is; default: the only store with `ageing`")

    audit = commands.add_parser("audit", help="prove that nobody changed what a dispatcher wrote down")
    audits = audit.add_subparsers(dest="audit", required=True, metavar="WHAT")
    verify = audits.add_parser("verify", parents=[shared], help="find the first broken record of the journal")
    verify.add_argument("site", type=Path, nargs="?", metavar="SITE.yaml", help="the site file, with .vpp beside it")
    verify.add_argument("--state", type=Path, metavar="DIR", help="another state folder")
    verify.add_argument("--head", metavar="SEQ:HASH", help="a head that was kept elsewhere; shows what was cut off")

    about = "recompute every decision of the journal, or make the plan of a bundle again, and name what differs"
    replay = commands.add_parser("replay", parents=[shared], help=about)
    replay.add_argument(
        "site", type=Path, nargs="?", metavar="SITE.yaml | run.zip", help="the site file, with .vpp beside it; a bundle"
    )
    replay.add_argument("--state", type=Path, metavar="DIR", help="another state folder")
    add_running(commands, shared)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-23") from None


def _power(text: str) -> float:
    try:
        power = float(text)
    except ValueError:
        power = inf
    if not isfinite(power):
        raise argparse.ArgumentTypeError(f"{text!r} is no power; write kilowatts, such as 200 or -200")
    return power


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant; write it as 2026-11-23T06:15:00Z")
    return instant


if __name__ == "__main__":
    sys.exit(main())
