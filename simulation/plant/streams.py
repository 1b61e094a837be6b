"""Random streams, one per house and purpose, so that no house's values depend on another's."""

import numpy as np


def stream(seed: int, house: str, purpose: str, *index: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments; all numbers must be 0 or more.

    The names enter as their bytes: unlike Python's own hash they are the same in every process, and
    unlike a checksum no two names share a stream.
    """
    name = int.from_bytes(f"{house}/{purpose}".encode(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, name, *index])))
