"""Where things are."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
TARGET = PROJECT / "target" / "peers"
"""What is built and installed; nothing outside of it is touched."""
TOOLS = TARGET / "release"
GENERATOR = TOOLS / "generator"
NODE = TARGET / "node"
SCRATCH = TARGET / "scratch"
RESULTS = TARGET / "results"
BOARDCAST = PROJECT / "target" / "release" / "boardcast"
