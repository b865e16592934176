#!/usr/bin/env python3
"""Measures Boardcast beside other servers, in one run; README.md tells the method."""

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys

import machine
import report
from peers import PEERS, build, prepare
from places import GENERATOR, RESULTS, TARGET
from scenarios import GROUPS, SCENARIOS, Scenario

PATIENCE_S = 60
"""How long quiet cores are waited for before each run."""
RUN_MAX_S = 400
NEXT_SEARCH = 0.75
"""Where later searches begin, as a share of the rate that the last one found."""


def main() -> None:
    arguments = parse()
    peers = chosen(arguments.peers, {"all": list(PEERS)}, PEERS)
    scenarios = chosen(arguments.scenarios, GROUPS, SCENARIOS)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name, why in build(peers).items():
        print(f"{name:14} left out: {why}", file=sys.stderr)
        peers.remove(name)
    RESULTS.mkdir(parents=True, exist_ok=True)
    begun = datetime.datetime.now(datetime.UTC)
    lines = RESULTS / f"{begun:%Y%m%d-%H%M%S}.jsonl"
    session = Session(arguments, lines)
    try:
        for repetition in range(arguments.repetitions):
            for scenario in scenarios:
                # Peers take turns, so that what disturbs the machine disturbs all of them.
                for peer in peers:
                    session.measure(peer, scenario, repetition)
    except KeyboardInterrupt:
        print("stopped; the report holds what was measured", file=sys.stderr)
    summary = report.summary(session.records, begun, machine.describe())
    lines.with_suffix(".json").write_text(json.dumps(summary, indent=1) + "\n")
    print(report.tables(summary))
    print(f"runs: {lines}\nsummary: {lines.with_suffix('.json')}", file=sys.stderr)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ", ".join([*GROUPS, *SCENARIOS])
    parser.add_argument("--peers", default="all", help=f"all, or of {', '.join(PEERS)}; with commas between")
    parser.add_argument("--scenarios", default="default", help=f"groups and names of {names}; with commas between")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--nice", type=int, default=0, help="priority of server and generator; below 0 needs root")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, help="seconds to wait for quiet cores")
    arguments = parser.parse_args()
    cores = {arguments.server_core, arguments.generator_core}
    if len(cores) < 2 or not cores <= os.sched_getaffinity(0):
        parser.error("server and generator need a core each of those that this process may use")
    return arguments


def chosen(text: str, groups: dict[str, list[str]], known: dict) -> list[str]:
    names = [name for part in text.split(",") for name in groups.get(part, [part])]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: unknown; there are {', '.join([*groups, *known])}")
    return list(dict.fromkeys(names))


class Session:
    """Runs of one call of this program."""

    def __init__(self, arguments: argparse.Namespace, lines) -> None:
        self.arguments = arguments
        self.lines = lines
        self.records: list[dict] = []

    def measure(self, peer: str, name: str, repetition: int) -> None:
        record = {"peer": peer, "scenario": name, "repetition": repetition}
        try:
            record |= self.run(peer, name)
        except machine.Failure as why:
            record["error"] = str(why)
        self.records.append(record)
        with self.lines.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(report.line(record), flush=True)

    def run(self, peer: str, name: str) -> dict:
        scenario, cores = SCENARIOS[name], [self.arguments.server_core, self.arguments.generator_core]
        port = machine.free_port()
        command, environment, more = prepare(peer, scenario, port)
        at_server, at_generator = (machine.pinned(core, self.arguments.nice) for core in cores)
        log = TARGET / f"{peer}.log"
        with machine.running([*at_server, *command], port, log, env=environment) as server:
            is_quiet = machine.wait_until_quiet(cores, self.arguments.patience)
            generator = [*at_generator, str(GENERATOR), "run", "--protocol", PEERS[peer].protocol]
            generator += ["--port", str(port), "--server-pid", str(server.pid)]
            generator += ["--server-core", str(cores[0]), "--generator-core", str(cores[1])]
            generator += ["--objective-ms", str(PEERS[peer].objective_ms)]
            generator += [*more, *self.options(peer, name, scenario)]
            return {"began_quiet": is_quiet, "load_average": os.getloadavg()[0], "report": generate(generator)}

    def options(self, peer: str, name: str, scenario: Scenario) -> list[str]:
        options = ["--mode", scenario.mode, "--seconds", str(scenario.seconds), "--warm", str(scenario.warm)]
        loads = scenario.loads
        rates = [report.found_rate(record, peer, name) for record in self.records]
        found = [rate for rate in rates if rate]
        if scenario.mode == "search" and found:
            loads = [f"{loads[0].split('@')[0]}@{found[-1] * NEXT_SEARCH:.1f}"]
            options += ["--factor", "1.25"]
        return [*options, *(part for load in loads for part in ("--load", load))]


def generate(command: list[str]) -> dict:
    """Runs the generator to its end; what it reports."""
    log = TARGET / "generator.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=RUN_MAX_S)
    except subprocess.TimeoutExpired:
        raise machine.Failure(f"the generator took more than {RUN_MAX_S} s") from None
    finally:
        machine.stop(process)
    if process.returncode != 0:
        raise machine.Failure(f"{last_line(log)}; see {log}")
    return json.loads(output)


def last_line(log) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("generator: ") if lines else "the generator failed"


main()
