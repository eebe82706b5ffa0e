"""`inkling bench`: measures this installation, on real input, with everything seeded.

Commands are thin: they read options, show progress on stderr and print a table or JSON on
stdout; what is measured lies in the modules beside this one.
"""

import click

from inkling.cli.bench.commands import bench_corpus, latency, quality


@click.group()
def bench() -> None:
    """Measure latency and quality on this machine, alone or against llama-server."""


bench.add_command(latency)
bench.add_command(quality)
bench.add_command(bench_corpus)

__all__ = ["bench", "latency", "quality"]
