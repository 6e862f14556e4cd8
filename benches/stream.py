"""How soon a list follows an event, and how many events a second the stream takes in.

All services run on this machine, each measurement on a stack of its own.

`latency`: 100 events a second of 500 listeners, a catalogue of 10,000 tracks; from the
event's time, at which it is sent, until MongoDB tells a watcher of a list that
reflects it. `throughput`: events wait in Kafka; the rate at which Spark reads them into
nothing (`kafka_read`), reads and parses them by `from_json` (`parse`), and at which the
whole job, panes, lists, archive, listens and counts, takes them in (`pipeline`).
`ranking`: the 50 nearest of 100,000 and of a million tracks for 500 listeners, against
the bare matrix product (`rank_over_matmul`), one thread each, in turns. `growth`: what
an event costs a worker, by how many listeners and tracks there are. `graph`: what the
graph of a large index finds of the 96 nearest (`recall`), the time of a query with it
and without, and what it takes to make it and to add 100 tracks.
"""

import json
import sys
from typing import Any

import click

from benches.stack import say
from benches.stream_graph import measure_graph
from benches.stream_growth import growth_plot, measure_growth
from benches.stream_latency import measure_latency
from benches.stream_ranking import measure_ranking
from benches.stream_throughput import measure_throughput

_PARTS = ("latency", "throughput", "ranking", "growth", "graph")


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(_PARTS), multiple=True, help="Not all.")
@click.option("--seconds", default=120, show_default=True, help="Of latency.")
@click.option("--rate", default=100.0, show_default=True, help="Events a second.")
@click.option("--listeners", default=500, show_default=True, help="Active ones.")
@click.option("--tracks", default=10_000, show_default=True, help="Of the catalogue.")
@click.option("--before", default=0, show_default=True, help="Events before latency.")
@click.option("--events", default=2_000_000, show_default=True, help="Of throughput.")
@click.option("--backlog-of", default=20_000, show_default=True, help="Listeners.")
@click.option("--most-listeners", default=100_000, show_default=True, help="Growth.")
@click.option("--most-tracks", default=100_000, show_default=True, help="Growth.")
@click.option("--graph-of", default=1_000_000, show_default=True, help="Tracks.")
@click.option("--plot", type=click.File("w"), help="Draw growth, as SVG.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(only: tuple[str, ...], out: Any, plot: Any, **sizes: Any) -> None:
    """Measure; see the module."""
    wanted = only or _PARTS
    answer: dict[str, Any] = {}
    if "latency" in wanted:
        say("latency …")
        answer |= measure_latency(
            sizes["rate"],
            sizes["seconds"],
            sizes["listeners"],
            sizes["tracks"],
            sizes["before"],
        )
    if "throughput" in wanted:
        say("throughput …")
        answer |= measure_throughput(
            sizes["events"], sizes["backlog_of"], sizes["tracks"]
        )
    if "ranking" in wanted:
        say("ranking …")
        answer |= measure_ranking()
    if "growth" in wanted:
        say("growth …")
        answer |= measure_growth(sizes["most_listeners"], sizes["most_tracks"])
        if plot is not None:
            plot.write(growth_plot(answer["growth"]))
    if "graph" in wanted:
        say("graph …")
        answer |= measure_graph((100_000, sizes["graph_of"]))
    json.dump(answer, out, indent=1)
    out.write("\n")


if __name__ == "__main__":
    sys.exit(main())
