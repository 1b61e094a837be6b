"""One control step of 254 sellers: load sharing and the cap. Goal: 2 ms."""

from benchmarks.measure import Spent, medians, repeated, show
from benchmarks.neighbourhood import HOUSES
from microgrid.dispatch import Seller, keep_cap, share_load
from microgrid.terms import Source, Tariff
from microgrid.units import microcoins

STEPS = 20
ROUNDS = 5
DEMAND_W = 300_000
TARIFF = Tariff(valid_from=0, valid_to=1, national=microcoins(17.6), feed_in=microcoins(5))


def sellers(dear: int) -> list[Seller]:
    """254 sellers of 40 prices, every `dear`-th a generator above the national tariff (0: none)."""
    return [
        Seller(f"H{number:03}", 250, 2500, microcoins(25), Source.GENERATOR)
        if dear and number % dear == 0
        else Seller(f"H{number:03}", 250, 2500, microcoins(8 + number % 40 / 5), Source.SOLAR)
        for number in range(HOUSES)
    ]


def control_step(of: list[Seller]) -> None:
    """What the controller computes once a minute."""
    keep_cap(of, share_load(of, DEMAND_W, True), DEMAND_W, TARIFF, 0)


def main() -> None:
    """Print the time of a step for three neighbourhoods, taken in turns."""
    cases = {"nobody dear": sellers(0), "every third dear": sellers(3), "all dear": sellers(1)}
    runs: dict[str, list[Spent]] = {label: [] for label in cases}
    for _ in range(ROUNDS):
        for label, of in cases.items():
            runs[label].append(repeated(lambda of=of: control_step(of), STEPS))  # type: ignore[misc]
    for label, spent in runs.items():
        show(f"a step, {label}", medians(spent))


if __name__ == "__main__":
    main()
