"""The machine: cores, quiet, and processes that end when the benchmark does."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

QUIET_PERCENT = 20
STOP_S = 5


def free_port() -> int:
    """A port of which nobody listens on this one and the next."""
    for port in range(20_000 + os.getpid() % 5_000 * 2, 32_000, 2):
        with contextlib.suppress(OSError):
            for wanted in (port, port + 1):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", wanted))
            return port
    raise SystemExit("no free port below 32,000")


def busy_percent(cores: list[int]) -> float:
    """How busy the busiest of the cores is, over half a second."""

    def times():
        lines = [line.split() for line in pathlib.Path("/proc/stat").read_text().splitlines()]
        rows = {line[0]: [int(ticks) for ticks in line[1:9]] for line in lines if line[0].startswith("cpu")}
        return [rows[f"cpu{core}"] for core in cores]

    before = times()
    time.sleep(0.5)
    worst = 0.0
    for old, new in zip(before, times()):
        spent = [b - a for a, b in zip(old, new)]
        idle = spent[3] + spent[4]
        worst = max(worst, 100 * (1 - idle / max(1, sum(spent))))
    return worst


def wait_until_quiet(cores: list[int], patience_s: float) -> bool:
    """Whether the cores became quiet in time."""
    end = time.monotonic() + patience_s
    while busy_percent(cores) > QUIET_PERCENT:
        if time.monotonic() > end:
            return False
        time.sleep(1)
    return True


def pinned(core: int, nice: int) -> list[str]:
    """What to put before a command."""
    priority = ["nice", "-n", str(nice)] if nice else []
    return [*priority, "taskset", "-c", str(core)]


@contextlib.contextmanager
def running(command, port: int, log: pathlib.Path, **options):
    """A server that listens on `port`, in a process group that ends with the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **options)
    try:
        wait_for_port(process, port, log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """Ends a process that leads a group, and the group, unless it has ended by itself."""
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
            return


def wait_for_port(process: subprocess.Popen, port: int, log: pathlib.Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure(f"the server ended with {process.returncode}; see {log}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        time.sleep(0.05)
    raise Failure(f"the server does not listen; see {log}")


class Failure(Exception):
    """A run that did not come about; the others go on."""


def describe() -> str:
    """The machine in a few words."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    memory_gib = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1_048_576
    return f"{os.cpu_count()} cores of {models[0] if models else '?'}, {memory_gib:.0f} GiB, Linux {os.uname().release}"
