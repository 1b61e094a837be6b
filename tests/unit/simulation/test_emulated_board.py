"""The emulated board where it cannot be had; with one, tests/e2e."""

from pathlib import Path

import pytest

from simulation.emulated_board import calibrated_board


def test_a_board_that_is_not_built_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="not built; `make -C firmware all emulator` does it"):
        calibrated_board(1, tmp_path)
