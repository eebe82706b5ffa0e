"""`inkling bench`: measures this installation, on real input, with everything seeded.

Commands are thin: they read options, show progress on stderr and print a table or JSON on
stdout; what is measured lies in the modules beside this one.
"""

import click

from inkling.cli.bench.commands import bench_corpus, latency, quality
from inkling.cli.bench.index_command import bench_index


@click.group()
def bench() -> None:
    """Measure latency, quality and the index on this machine, or against llama-server."""


bench.add_command(latency)
bench.add_command(quality)
bench.add_command(bench_index)
bench.add_command(bench_corpus)

__all__ = ["bench", "latency", "quality"]
