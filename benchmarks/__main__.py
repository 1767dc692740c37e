"""Runs every benchmark, one after the other: ``make bench``, or ``python -m benchmarks``."""

import argparse
import sys
from collections.abc import Sequence

import structlog

from benchmarks import (
    bench_archive,
    bench_chain,
    bench_costs,
    bench_indicators,
    bench_polling,
    bench_preview,
    bench_runtime,
    bench_signals,
    bench_symbols,
)
from benchmarks.results import RESULTS, Bench, NotHere, Row, absent, table, write

# Which benchmark gives which rows.
BENCHES: dict[str, Bench] = {
    "runtime_noop_vs_raw candles_vs_bytewax": bench_runtime.rows,
    "commit_server_ms redis_bytes_per_tick": bench_costs.rows,
    "cpu_per_tick_vs_sketch": bench_chain.sketch,
    "alert_p99_ms_2k alert_p99_ms_20k": bench_chain.alerts,
    "chain_core_ticks_per_s chain_all_ticks_per_s rss_mb": bench_chain.throughput,
    "symbols_10k": bench_symbols.rows,
    "archive_read_ms archive_read_year_ms": bench_archive.rows,
    "indicators_vs_talipp levels_10k_close_s seed_candles_per_s": lambda _: bench_indicators.rows(),
    "preview_year_s": bench_preview.rows,
    "poll_50_symbols_s": bench_polling.rows,
    "signal_ticks_per_s signals_10k_close_s": lambda _: bench_signals.rows(),
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print and keep; 2 where nothing has the name that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="only the benchmark that gives this row")
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    asked = parser.parse_args(arguments)
    wanted = [names for names in BENCHES if asked.only is None or asked.only in names.split()]
    if not wanted:
        known = ", ".join(name for names in BENCHES for name in names.split())
        print(f"no row is called {asked.only}; known: {known}", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found: list[Row] = []
    for names in wanted:
        print(f"measuring {names} ...", file=sys.stderr, flush=True)
        found += _measured(names, asked.quick)
        write(found)
    print(table(found))
    print(f"\nwritten to {RESULTS.relative_to(RESULTS.parents[1])}")
    return 0


def _measured(names: str, quick: bool) -> list[Row]:
    try:
        return BENCHES[names](quick)
    except NotHere as reason:
        return [absent(name, str(reason)) for name in names.split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
