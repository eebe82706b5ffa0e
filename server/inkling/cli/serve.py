"""`inkling serve`: what editors start."""

import gc
import sys

import click

from inkling.config import LogLevel


@click.command()
@click.option(
    "--log-level",
    type=click.Choice(["error", "warning", "info", "debug"]),
    default="info",
    show_default=True,
    help="Until the editor's settings say otherwise. Source text is logged at debug only.",
)
def serve(log_level: LogLevel) -> None:
    """Run the language server on stdin and stdout. Your editor starts this."""
    # Imports make many objects and no rubbish: collecting while they run costs a fifth of the
    # time to the answered `initialize`. It is switched on again once that is given.
    gc.disable()
    from inkling import logs
    from inkling.dirs import log_path
    from inkling.lsp.server import serve as serve_client
    from inkling.lsp.stdio import take_over_stdio

    if sys.stdin.isatty():
        click.echo("Inkling is waiting for an editor on stdin. Ctrl-C ends it.", err=True)
    stdin, stdout = take_over_stdio()
    logs.set_up(log_path(), log_level)
    sys.exit(serve_client(stdin, stdout))
