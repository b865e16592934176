#!/usr/bin/env python3
"""Medians and ratios of a session's runs, as tables. `report.py SUMMARY.json` prints them again."""

import json
import pathlib
import statistics
import sys

from scenarios import SCENARIOS

REFERENCE = {
    "uWebSockets 66dcff3": {
        "S1": "2,377 operations/s",
        "S1r100": "p50 2.7, p99 6.7 ms; 5.01 us",
        "S2": "125,575 operations/s",
        "S3": "518 bytes each; 24,657/s",
        "S4": "p50 0.33, p99 2.90 ms",
    }
}
"""Measured elsewhere by the same method, on a machine of the same kind."""

FLOOR_OF = {"S4": "floor"}
"""What a scenario is compared with; the others with `floor-iter`."""

STEP_FIGURES = (
    "rate",
    "cpu_us_per_delivery",
    "kernel_us_per_delivery",
    "cpu_us_per_frame",
    "operations_per_frame",
    "wire_bytes_per_delivery",
)


def value(report: dict, scenario: str) -> dict | None:
    """The figures of one run, flat. None where no rate met the objective."""
    if SCENARIOS[scenario].mode == "idle":
        grown = report["connected"]["resident_kb"] - report["before"]["resident_kb"]
        return {
            "bytes_per_connection": grown * 1_024 / report["connections"],
            "connects_per_s": report["connecting"]["per_s"],
            "idle_cpu_percent": report["idle_cpu_percent"],
        }
    step = report["best"]
    if step is None:
        return None
    figures = {name: step[name] for name in STEP_FIGURES}
    first = step["loads"][0]["latency_ms"]
    figures |= {"p50_ms": first["p50"], "p99_ms": first["p99"], "lost": sum(load["lost"] for load in step["loads"])}
    figures["beside_p99_ms"] = step["loads"][-1]["latency_ms"]["p99"]
    if step["durable"]:
        latency = step["durable"]["latency_ms"]
        figures |= {"durable_p50_ms": latency["p50"], "durable_p99_ms": latency["p99"]}
    return figures


def marks(record: dict) -> set[str]:
    """What has to be known about a run beside its figures."""
    step = record["report"]["best"] or {}
    found = {
        "G": step.get("generator_is_full"),
        "D": step.get("is_contended") or not record["began_quiet"],
        "F": SCENARIOS[record["scenario"]].mode == "fixed" and not step.get("is_ok"),
    }
    return {mark for mark, is_so in found.items() if is_so}


def found_rate(record: dict, peer: str, scenario: str) -> float | None:
    """The rate that a search for this peer found."""
    is_it = (record["peer"], record["scenario"]) == (peer, scenario) and "error" not in record
    return record["report"]["best"]["rate"] if is_it and record["report"]["best"] else None


def line(record: dict) -> str:
    """One run in a line."""
    head = f"{record['peer']:14} {record['scenario']:7}"
    if "error" in record:
        return f"{head} FAILED {record['error']}"
    figures = value(record["report"], record["scenario"])
    if figures is None:
        return f"{head} no rate met the objective"
    words = [f"{name} {number(figure)}" for name, figure in figures.items()]
    step = record["report"]["best"] or {}
    return " ".join([head, *sorted(marks(record)), "; ".join([*words, *step.get("faults", [])])])


def summary(records: list[dict], begun, machine: str) -> dict:
    """Medians over repetitions, and medians of the ratios to the floor of the same repetition."""
    scenarios: dict[str, dict] = {}
    for record in records:
        peers = scenarios.setdefault(record["scenario"], {})
        peers.setdefault(record["peer"], []).append(record)
    return {
        "begun": f"{begun:%Y-%m-%d %H:%M} UTC",
        "machine": machine,
        "scenarios": {name: entries(name, peers) for name, peers in scenarios.items()},
    }


def entries(scenario: str, peers: dict[str, list[dict]]) -> dict[str, dict]:
    floor = peers.get(FLOOR_OF.get(scenario, "floor-iter"), [])
    return {peer: entry(runs, floor) for peer, runs in peers.items()}


def entry(runs: list[dict], floor_runs: list[dict]) -> dict:
    """What came of one peer in one scenario."""
    good = [run for run in runs if "error" not in run]
    floors = figures_by_repetition(floor_runs)
    mine = figures_by_repetition(runs)
    steps = [run["report"]["best"] or {} for run in good]
    return {
        "runs": len(good),
        "errors": [run["error"] for run in runs if "error" in run],
        "marks": sorted({mark for run in good for mark in marks(run)}),
        "faults": sorted({fault for step in steps for fault in step.get("faults", [])}),
        "medians": medians(list(mine.values())),
        "ratios": medians([ratio(figures, floors[n]) for n, figures in mine.items() if n in floors]),
    }


def figures_by_repetition(runs: list[dict]) -> dict[int, dict]:
    """The figures of the runs that have some."""
    good = [run for run in runs if "error" not in run]
    pairs = [(run["repetition"], value(run["report"], run["scenario"])) for run in good]
    return {repetition: figures for repetition, figures in pairs if figures}


def ratio(mine: dict, floor: dict) -> dict:
    return {name: mine[name] / floor[name] for name in mine if floor.get(name)}


def medians(runs: list[dict]) -> dict:
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: statistics.median(run[name] for run in runs if name in run) for name in names}


def number(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.2f}"


LATENCY = [("p50 ms", "p50_ms", False), ("p99 ms", "p99_ms", False)]
RATE = [("operations/s", "rate", False), ("x floor", "rate", True), *LATENCY]
COST = [
    ("CPU us/delivery", "cpu_us_per_delivery", False),
    ("kernel part", "kernel_us_per_delivery", False),
    ("x floor", "cpu_us_per_delivery", True),
    ("wire bytes/delivery", "wire_bytes_per_delivery", False),
    ("durable p50 ms", "durable_p50_ms", False),
    ("durable p99 ms", "durable_p99_ms", False),
]
IDLE = [
    ("bytes each", "bytes_per_connection", False),
    ("connects/s", "connects_per_s", False),
    ("idle CPU %", "idle_cpu_percent", False),
]
COLUMNS = {
    "S1": RATE + COST,
    "S2": RATE + COST,
    "S3": IDLE,
    "S4": [*LATENCY, ("p50 x floor", "p50_ms", True), ("durable p50 ms", "durable_p50_ms", False)],
    "fair": [
        ("p99 ms of the board x 10", "p99_ms", False),
        ("of the board x 1,000", "beside_p99_ms", False),
        *COST[:1],
    ],
}
CURVE = [*LATENCY, ("CPU us/frame", "cpu_us_per_frame", False), ("operations/frame", "operations_per_frame", False)]


def tables(summary: dict) -> str:
    """Markdown, a table for each scenario."""
    parts = [f"{summary['begun']}, {summary['machine']}"]
    for name, peers in summary["scenarios"].items():
        columns = COLUMNS.get(name, CURVE if name.startswith("C") else LATENCY + COST)
        rows = [["", *(title for title, _, _ in columns), "runs"], ["---"] * (len(columns) + 2)]
        rows += [row(peer, entry, columns) for peer, entry in peers.items()]
        for peer, figures in REFERENCE.items():
            if name in figures:
                rows.append([f"{peer} (elsewhere)", figures[name], *[""] * len(columns)])
        text = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
        parts.append(f"**{name}** {SCENARIOS[name].title}\n\n{text}")
    return "\n\n".join([*parts, LEGEND])


LEGEND = """\
Medians; ratios are medians over repetitions of the ratio to `floor-iter` (S4: `floor`) of the same repetition. \
G: the generator's core was full, so the figure is a lower bound. \
D: other programs were on the cores. F: the step failed (lost, late or not durable). Rows marked elsewhere were not measured in this run."""


def row(peer: str, entry: dict, columns: list) -> list[str]:
    cells = [number(entry["ratios" if is_ratio else "medians"].get(name)) for _, name, is_ratio in columns]
    if not entry["medians"]:
        cells[0] = "failed" if entry["errors"] else "none"
    return [peer, *cells, " ".join([str(entry["runs"]), *entry["marks"]])]


if __name__ == "__main__":
    print(tables(json.loads(pathlib.Path(sys.argv[1]).read_text())))
