"""The dialogs of a meter's exchange: who and why, then from the old meter to the new one (5.2)."""

from concurrent.futures import Future
from typing import cast

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from house_client.household import Household
from house_client.snapshot import HouseSnapshot, SwapProgress
from house_client.ui.commissioning_words import counter_words
from microgrid.swap import MeterSwap
from node.qt.asking import ask
from node.qt.form import Choice, ChoiceField, FormDialog, TextField
from node.qt.format import moment

_LONGEST = 120


class BeginDialog(FormDialog):
    """Who exchanges the meter, and why; accepted when the old meter's last counters are kept."""

    def __init__(self, household: Household, *, parent: QWidget | None = None) -> None:
        translate = QCoreApplication.translate
        super().__init__(
            translate("BeginDialog", "Exchange of the meter"),
            translate("BeginDialog", "&Begin"),
            kiosk=True,
            parent=parent,
        )
        self._household = household
        limit = self.tr("your name, on the sheet and at the central")
        self.installer = self.add_field(
            TextField(self.tr("&Installer"), limit, required=True, longest=_LONGEST)
        )
        limit = self.tr("why the old meter goes")
        self.reason = self.add_field(TextField(self.tr("&Reason"), limit, required=True, longest=_LONGEST))
        self.add_text(
            self.tr("The old meter's last counters are kept; it still counts until you take it off.")
        )

    def order(self) -> "Future[None]":
        return self._household.begin_swap(self.installer.value(), self.reason.value())


class ExchangeDialog(FormDialog):
    """The exchange under way: take the old meter off, put the new one on, and finish; or keep the old one."""

    def __init__(self, household: Household, *, parent: QWidget | None = None) -> None:
        translate = QCoreApplication.translate
        super().__init__(
            translate("ExchangeDialog", "Take the old meter off now"),
            translate("ExchangeDialog", "&Done"),
            kiosk=True,
            parent=parent,
        )
        self._household = household
        self.swap: MeterSwap | None = None  # the exchange, once it is finished
        self.old, self.new = self.add_text(""), self.add_text("")
        self.what = self.add_field(
            ChoiceField(
                self.tr("&What is done"),
                (
                    Choice(True, self.tr("the &new meter is on: keep its first counters")),
                    Choice(False, self.tr("the &old meter stays: no exchange")),
                ),
            )
        )
        self.cancel_button.setText(self.tr("&Later"))

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show how the exchange stands."""
        progress = snapshot.swap
        if progress is None:
            return
        began = moment(progress.began_s, snapshot.zone)
        self.old.setText(
            self.tr("Old meter ({0}), since {1}: {2}.").format(
                progress.old_meter, began, counter_words(progress.old)
            )
        )
        self.new.setText(self._new_words(progress))

    def order(self) -> "Future[None]":
        if not self.what.value():
            return self._household.cancel_swap()
        future = self._household.finish_swap()
        ask(self, future, self._finished, lambda _: None)
        return cast("Future[None]", future)  # the dialog waits for it and takes nothing from it

    def _finished(self, swap: MeterSwap) -> None:
        self.swap = swap

    def _new_words(self, progress: SwapProgress) -> str:
        if progress.new is None:
            return self.tr("New meter: not heard yet. Put it on and plug its cable in.")
        heard = self.tr("New meter ({0}): {1}.").format(progress.new_meter, counter_words(progress.new))
        if progress.like_old:
            heard += " " + self.tr("Its counters carry on from the old meter's: is it the same one?")
        return heard
