"""A corrected reading: the registers a minute ended with, between the readings around it."""

from concurrent.futures import Future
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from PySide6.QtWidgets import QWidget

from central_monitor.books import MinuteProof
from central_monitor.operator import Operator
from central_monitor.ui.desk import DeskName, OrderDialog
from microgrid.minute import MeterMinute
from microgrid.registers import limit_ws
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH, kwh
from node.qt.form import Field, NumberField, TextField
from node.qt.format import clock, moment
from node.qt.table import Cell, Table
from node.qt.theme import Theme

_DECIMALS = 7  # of a kWh: whole watt-seconds survive
_LONGEST_REASON = 200


class Range(NamedTuple):
    """The least and the most a register may have been at the minute's end, Ws; None: nothing bounds it."""

    least: int
    most: int | None


def register_range(proof: MinuteProof, name: str) -> Range:
    """What the readings around the minute leave for a register (`import_ws` or `export_ws`).

    It must not fall, and not rise by more than the connection carries. Readings of another epoch of the
    registers bound nothing.
    """
    like = proof.row or proof.before
    least, most = 0, None
    if like is None:
        return Range(least, most)
    if (before := proof.before) is not None and before.epoch == like.epoch:
        least = getattr(before, name)
        most = floor(least + _carried(proof, proof.minute - before.minute))
    if (after := proof.after) is not None and after.epoch == like.epoch:
        end = getattr(after, name)
        least = max(least, ceil(end - _carried(proof, after.minute - proof.minute)))
        most = end if most is None else min(end, most)
    return Range(least, most)


def _carried(proof: MinuteProof, minutes: int) -> float:
    """What the house's connection carries at most in so many minutes, Ws."""
    return float(limit_ws(np.array(proof.house.connection_w), minutes * SECONDS_PER_MINUTE))


class CorrectionDialog(OrderDialog):
    """Corrects the import and export register of the proof's minute; times are shown in `zone`."""

    def __init__(
        self, operator: Operator, desk: DeskName, proof: MinuteProof, zone: str, parent: QWidget | None = None
    ) -> None:
        # Registers are those of the minute's end.
        when = moment((proof.minute + 1) * SECONDS_PER_MINUTE, zone)
        title = self.tr("Correct the reading of house {0}, {1}").format(proof.house.house, when)
        super().__init__(title, self.tr("&Correct"), desk, parent=parent)
        self._operator, self._proof = operator, proof
        self.readings = Table(
            [self.tr("Reading"), self.tr("Moment"), self.tr("Import register\nkWh"),
             self.tr("Export register\nkWh")],
            self.tr("Readings around the minute"),
        )  # fmt: skip
        self.add_widget(self.readings)
        self.imported = self._register_field(self.tr("Corrected &import"), "import_ws")
        self.exported = self._register_field(self.tr("Corrected &export"), "export_ws")
        self.reason = self.add_field(
            TextField(
                self.tr("&Reason"),
                self.tr("read by the household on its adjustment"),
                missing=self.tr("Say why: the reason is kept with the reading and told to the household."),
                longest=_LONGEST_REASON,
            )
        )
        self.add_text(
            self.tr(
                "The reading as it came is kept. The month is settled again; if its bills are out, what"
                " changes is told in an adjustment beside them."
            )
        )
        self.add_author()
        self._show_readings(zone)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self.readings.set_theme(theme)

    def find_faults(self) -> dict[Field, str]:
        faults: dict[Field, str] = {}
        for field, name in ((self.imported, "import_ws"), (self.exported, "export_ws")):
            typed, bounds = _register(field), register_range(self._proof, name)
            if typed is None:
                continue
            if typed < bounds.least:
                faults[field] = self.tr("It must be at least {0}: a register does not fall.").format(
                    field.as_typed(kwh(bounds.least))
                )
            elif bounds.most is not None and typed > bounds.most:
                faults[field] = self.tr(
                    "It must be at most {0}: the next reading or the connection allows no more."
                ).format(field.as_typed(kwh(bounds.most)))
        row = self._proof.row
        if not faults and row is not None:
            typed_both = (_register(self.imported), _register(self.exported))
            if typed_both == (row.import_ws, row.export_ws):
                faults[self.imported] = self.tr("Both registers are as they were: nothing is corrected.")
        return faults

    def order(self) -> "Future[None]":
        imported, exported = _register(self.imported), _register(self.exported)
        assert imported is not None  # every field has been checked
        assert exported is not None
        proof = self._proof
        return self._operator.correct(
            proof.house.house, proof.minute, imported, exported, self.author.value(), self.reason.value()
        )

    def _register_field(self, label: str, name: str) -> NumberField:
        bounds, row = register_range(self._proof, name), self._proof.row
        field = self.add_field(NumberField(label, "kWh", _DECIMALS))
        if bounds.most is None:
            field.set_limit(self.tr("{0} or more").format(field.as_typed(kwh(bounds.least))))
        else:
            field.set_limit(
                self.tr("{0} to {1}").format(
                    *(field.as_typed(kwh(each)) for each in bounds if each is not None)
                )
            )
        if row is not None:
            field.set_value(kwh(getattr(row, name)))
        return field

    def _show_readings(self, zone: str) -> None:
        proof = self._proof
        now = self.tr("as it stands") if proof.row is not None else self.tr("missing")
        named = [(self.tr("before"), proof.before), (now, proof.row), (self.tr("after"), proof.after)]
        rows = [self._reading_row(name, reading, zone) for name, reading in named]
        self.readings.set_rows([name for name, _ in named], rows)
        header = self.readings.horizontalHeader().height()
        self.readings.setFixedHeight(header + sum(self.readings.rowHeight(n) for n in range(len(rows))) + 4)

    def _reading_row(self, name: str, reading: MeterMinute | None, zone: str) -> list[Cell]:
        if reading is None:
            return [Cell(name), Cell(self.tr("none")), Cell("", align_right=True), Cell("", align_right=True)]
        when = clock((reading.minute + 1) * SECONDS_PER_MINUTE, zone)
        registers = (self.imported.as_typed(kwh(each)) for each in (reading.import_ws, reading.export_ws))
        return [Cell(name), Cell(when), *(Cell(each, align_right=True) for each in registers)]


def _register(field: NumberField) -> int | None:
    """What is typed, in whole watt-seconds."""
    value = field.value()
    return None if value is None else round(value * WS_PER_KWH)
