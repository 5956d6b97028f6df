"""The command `vpp`: reads the command line, runs one command, and turns every failure into words and an exit code."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import date, datetime
from importlib import import_module
from pathlib import Path

from vpp import __version__
from vpp.domain.errors import InfeasibleError, InputError, UnverifiedPlanError
from vpp.output import Output

DONE, FAILED, BAD_INPUT, NO_ANSWER, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done, 2 bad input, 3 no feasible answer, 130 interrupted; 1 is a fault of this program.

    """
    options = _parser().parse_args(arguments)
    output = Output(is_json=options.json, is_ascii=options.ascii)
    try:
        command = import_module(f"vpp.commands.{options.command}")
        command.run(options, output)
    except InputError as error:
        output.refuse(error, BAD_INPUT)
        return BAD_INPUT
    except InfeasibleError as error:
        output.no_answer(error, NO_ANSWER)
        return NO_ANSWER
    except KeyboardInterrupt:
        output.say("\ninterrupted; nothing was written")
        return INTERRUPTED
    except UnverifiedPlanError as error:
        output.internal_error(error, FAILED)
        return FAILED
    except Exception as error:  # noqa: BLE001 - the one supervisor of the command
        if options.debug:
            traceback.print_exc()
        output.internal_error(error, FAILED)
        return FAILED
    return DONE


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else there")
    shared.add_argument("--ascii", action="store_true", help="print no character above 127")
    shared.add_argument("--debug", action="store_true", help="show where in the program an internal error arose")
    parser = argparse.ArgumentParser(prog="vpp", description="Plans and runs virtual power plants.")
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

    check = commands.add_parser("check", parents=[shared], help="find every fault of a site file")
    check.add_argument("site", type=Path, nargs="?", metavar="SITE.yaml", help="the site file")
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of the site file")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-23") from None


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
