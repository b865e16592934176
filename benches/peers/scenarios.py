"""What is asked of each server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """Loads are BOARDSxSUBSCRIBERS@RATE, the rate being operations a second on all boards."""

    title: str
    mode: str
    loads: tuple[str, ...]
    seconds: float = 6
    warm: float = 1


def curve(subscribers: int) -> Scenario:
    """One board at 100,000 deliveries a second."""
    rate = 100_000 / subscribers
    title = f"one board x {subscribers:,} at {rate:g} operations/s"
    return Scenario(title, "fixed", (f"1x{subscribers}@{rate:g}",))


SCENARIOS = {
    "S1": Scenario("one board x 1,000: highest rate", "search", ("1x1000@50",)),
    "S1r100": Scenario("one board x 1,000 at 100 operations/s", "fixed", ("1x1000@100",)),
    "S1r500": Scenario("one board x 1,000 at 500 operations/s", "fixed", ("1x1000@500",)),
    "S2": Scenario("500 boards x 4: highest rate on all", "search", ("500x4@6000",)),
    "S3": Scenario("10,000 idle connections on 2,500 boards", "idle", ("2500x4@1",), seconds=5),
    "S4": Scenario("one board x 10 at 20 operations/s", "fixed", ("1x10@20",), seconds=10),
    "fair": Scenario(
        "a board x 10 at 20 operations/s beside a board x 1,000 at 2,000",
        "fixed",
        ("1x10@20", "1x1000@2000"),
    ),
    "C100": curve(100),
    "C300": curve(300),
    "C1000": curve(1_000),
    "C3000": curve(3_000),
    "C10000": curve(10_000),
}

GROUPS = {
    "default": ["S1", "S1r100", "S1r500", "S2", "S3", "S4", "fair"],
    "curve": ["C100", "C300", "C1000", "C3000", "C10000"],
    "all": list(SCENARIOS),
}
