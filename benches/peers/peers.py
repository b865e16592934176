"""The servers, how each is built, and how it is started on a port."""

import getpass
import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

from machine import Failure
from places import BOARDCAST, GENERATOR, HERE, NODE, PROJECT, SCRATCH, TARGET, TOOLS
from scenarios import Scenario


@dataclass(frozen=True)
class Peer:
    """In `command` and `files` stand `{port}`, `{next_port}`, `{scratch}` and `{user}`."""

    protocol: str
    command: tuple[str, ...]
    needs: str = "cargo"
    objective_ms: float = 100
    files: dict[str, str] = field(default_factory=dict)

BOARDS_OF_AN_OPENER = 100
"""Subscriptions that Boardcast allows a connection."""

NATS = os.environ.get("NATS_SERVER", "/usr/sbin/nats-server")
MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")

NATS_CONF = """\
listen: "127.0.0.1:{next_port}"
websocket {{ listen: "127.0.0.1:{port}", no_tls: true }}
max_connections: 100000
"""

# It refuses to start with WebSocket listeners only, hence the one that nobody uses.
MOSQUITTO_CONF = """\
listener {next_port} 127.0.0.1
listener {port} 127.0.0.1
protocol websockets
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
log_type error
user {user}
"""

FLOOR = str(TOOLS / "floor")
PEERS = {
    "floor": Peer("floor", (FLOOR, "{port}")),
    "floor-iter": Peer("floor", (FLOOR, "{port}", "--gather-us", "0")),
    "floor-10ms": Peer("floor", (FLOOR, "{port}", "--gather-us", "10000")),
    "boardcast": Peer(
        "boardcast",
        (
            *(str(BOARDCAST), "serve", "--listen", "127.0.0.1:{port}", "--data-dir", "{scratch}/data", "--log", "warn"),
            # How fast connections are made is measured, and no other server bounds it.
            *("--max-connects-per-s", "1000000", "--max-connects-per-s-per-address", "1000000"),
        ),
    ),
    "tokio-chat": Peer("json", (str(TOOLS / "tokio-chat"), "{port}")),
    "node-ws": Peer("json", ("node", f"{HERE}/node/ws.js", "{port}"), "npm"),
    # It waits for up to 100 ms by design, so it is judged at 200.
    "node-ws-batch": Peer("json", ("node", f"{HERE}/node/ws.js", "{port}", "batch"), "npm", 200),
    "socketio": Peer("socketio", ("node", f"{HERE}/node/socketio.js", "{port}"), "npm"),
    "hocuspocus": Peer("hocuspocus", ("node", f"{HERE}/node/hocuspocus.js", "{port}"), "npm"),
    "nats": Peer(
        "nats", (NATS, "-c", "{scratch}/nats.conf", "-l", "/dev/null"), "package", files={"nats.conf": NATS_CONF}
    ),
    "mosquitto": Peer(
        "mqtt", (MOSQUITTO, "-c", "{scratch}/mosquitto.conf"), "package", files={"mosquitto.conf": MOSQUITTO_CONF}
    ),
}


def build(names: list[str]) -> dict[str, str]:
    """Builds what the peers need. Peers that cannot be had on this machine, each with the reason."""
    tools = ["cargo", "build", "--release", "--locked", "--target-dir", str(TARGET)]
    run([*tools, "--package", "generator", "--package", "floor"], HERE)
    if "tokio-chat" in names:
        run([*tools, "--package", "tokio-chat"], HERE)
    if "boardcast" in names:
        run(["cargo", "build", "--release", "--locked", "--bin", "boardcast"], PROJECT)
    missing = {}
    needing_npm = [name for name in names if PEERS[name].needs == "npm"]
    if needing_npm:
        why = install_node_packages()
        missing |= {name: why for name in needing_npm if why}
    for name in names:
        if PEERS[name].needs == "package" and not pathlib.Path(PEERS[name].command[0]).exists():
            missing[name] = f"{PEERS[name].command[0]} is missing: apt-get install nats-server mosquitto"
    return missing


def run(command: list[str], folder: pathlib.Path) -> None:
    if subprocess.run(command, cwd=folder).returncode != 0:
        raise SystemExit(f"`{' '.join(command)}` failed")


def install_node_packages() -> str:
    """Why there are none, or nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node or npm is missing: https://nodejs.org"
    NODE.mkdir(parents=True, exist_ok=True)
    done = NODE / "installed-lock.json"
    lock = HERE / "node" / "package-lock.json"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return ""
    for file in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / file, NODE)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    if subprocess.run(command, cwd=NODE, stdout=subprocess.DEVNULL).returncode != 0:
        return "npm could not install the packages"
    shutil.copy(lock, done)
    return ""


def prepare(name: str, scenario: Scenario, port: int) -> tuple[list[str], dict[str, str], list[str]]:
    """The command that starts a server, its environment, and arguments that the generator needs."""
    peer = PEERS[name]
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    names = {"port": port, "next_port": port + 1, "scratch": SCRATCH, "user": getpass.getuser()}
    for file, text in peer.files.items():
        (SCRATCH / file).write_text(text.format(**names))
    command = [part.format(**names) for part in peer.command]
    environment = os.environ | {"NODE_PATH": str(NODE / "node_modules")}
    arguments = prepare_boards(scenario) if peer.protocol == "boardcast" else []
    return command, environment, arguments


def prepare_boards(scenario: Scenario) -> list[str]:
    """Fills a data directory for Boardcast; arguments for the generator."""
    boards, data = SCRATCH / "boards", SCRATCH / "data"
    users, openers = SCRATCH / "users", SCRATCH / "openers"
    boards.mkdir()
    loads = [part for load in scenario.loads for part in ("--load", load)]
    output([GENERATOR, "boards", *loads, "--into", boards])
    files = sorted(boards.iterdir())
    output([BOARDCAST, "import", "json", *files, "--data-dir", data])
    token = [BOARDCAST, "token", "--data-dir", data, "--ttl", "1d"]
    count = sum(connections(load) for load in scenario.loads)
    users.write_text(output([*token, "--user", "u", "--count", str(count)]))
    count = -(-len(files) // BOARDS_OF_AN_OPENER)
    openers.write_text(output([*token, "--user", "opener", "--role", "admin", "--count", str(count)]))
    return ["--token-file", str(users), "--opener-token-file", str(openers)]


def connections(load: str) -> int:
    boards, subscribers = load.split("@")[0].split("x")
    return int(boards) * int(subscribers)


def output(command: list) -> str:
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"`{pathlib.Path(command[0]).name} {command[1]}` failed: {done.stderr.strip()[-400:]}")
    return done.stdout
