"""The steps of *Create Contract*: role, parameters, summary, the central's word (5.3-5.5)."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from house_client.household import Household
from house_client.snapshot import HouseSnapshot
from house_client.ui.contract_dialogs import (
    ConsumerDialog,
    ParametersDialog,
    ProducerDialog,
    RoleDialog,
    SummaryDialog,
)
from house_client.ui.contract_words import CallState, call_state
from microgrid.terms import Role
from microgrid.wire.messages import ContractCall
from node.qt.form import FormDialog
from node.qt.theme import LIGHT, Theme, load_theme

# How long an answer that has left the house counts as waiting, unless the call changes before.
_WORD_S = 10.0


class ContractCreation(QObject):
    """Leads through the dialogs. What was typed is kept until the month's contract is agreed.

    Signals:
        opened: a dialog is on the screen.
    """

    opened = Signal(object)

    def __init__(self, window: QWidget, household: Household | None) -> None:
        super().__init__(window)
        self._window, self._household = window, household
        self._theme = load_theme(LIGHT)
        self._snapshot: HouseSnapshot | None = None
        self._call: ContractCall | None = None  # the one the dialogs are made for
        self._parameters: dict[Role, ParametersDialog] = {}
        self._answered: Role | None = None  # the role of the answer that was sent last
        self._asked: ContractCall | None = None  # the call as it stood when it was sent
        self._waiting_until_s = 0.0
        self._attended = False  # somebody waits before the screen for the central's word
        self.dialog: QDialog | None = None

    @property
    def state(self) -> CallState:
        """How the newest call stands."""
        return CallState.NONE if self._snapshot is None else call_state(self.with_answer(self._snapshot))

    def with_answer(self, snapshot: HouseSnapshot) -> HouseSnapshot:
        """The snapshot with an answer that is on its way to the central or has just come there."""
        waits = self._asked is not None and snapshot.call == self._asked
        return replace(snapshot, answer_waiting=True) if waits else snapshot

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Take in how the call stands; a refusal is shown to whoever waits for it."""
        self._snapshot = snapshot
        if self._call is not None and not _same(self._call, snapshot.call):
            self._close()  # what is typed is for another month
            self._forget()
        if snapshot.answer_waiting:
            self._waiting_until_s = snapshot.now_s + _WORD_S
        if snapshot.call != self._asked or snapshot.now_s >= self._waiting_until_s:
            self._asked = None
        if self.state in (CallState.AGREED, CallState.CLOSED):
            self._close()
            self._forget()
        elif self.state is CallState.REFUSED and self._attended:
            self._open_refused()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for dialog in self._parameters.values():
            dialog.set_theme(theme)

    @Slot()
    def begin(self) -> None:
        """Ask for the role, or show what was refused; nothing if no answer is wanted now."""
        if self._household is None or self._snapshot is None or self._snapshot.call is None:
            return
        if self.state not in (CallState.OPEN, CallState.REFUSED):
            return
        self._call = self._snapshot.call
        if self.state is CallState.REFUSED and self._answered in self._parameters:
            self._open_refused()
        else:
            self._ask_role()

    def put_away(self) -> None:
        """Nobody is there any more: close what is open, and keep what was typed."""
        self._attended = False
        self._close()

    def _ask_role(self) -> None:
        assert self._call is not None
        dialog = RoleDialog(self._call, self._window)
        dialog.chosen.connect(self._ask_parameters)
        self._open(dialog)

    @Slot(object)
    def _ask_parameters(self, role: Role) -> None:
        assert self._call is not None
        if role not in self._parameters:
            make = ProducerDialog if role is Role.PRODUCER else ConsumerDialog
            dialog = make(self._call, self._window)
            dialog.accepted.connect(lambda: self._ask_consent(role))
            dialog.rejected.connect(self._ask_role)
            self._parameters[role] = dialog
        self._open(self._parameters[role])

    def _ask_consent(self, role: Role) -> None:
        wish = self._parameters[role].wish()
        assert self._call is not None
        assert self._household is not None
        assert wish is not None
        dialog = SummaryDialog(self._call, wish, self._household, self._window)
        dialog.accepted.connect(lambda: self._sent(role))
        dialog.rejected.connect(lambda: self._ask_parameters(role))
        self._open(dialog)

    def _sent(self, role: Role) -> None:
        assert self._snapshot is not None
        self._answered, self._asked = role, self._snapshot.call
        self._waiting_until_s = self._snapshot.now_s + _WORD_S
        self._attended = True
        self._close()

    def _open_refused(self) -> None:
        self._attended = False
        call = self._snapshot.call if self._snapshot is not None else None
        if call is None or self._answered is None:
            return
        self._call = call
        self._ask_parameters(self._answered)
        self._parameters[self._answered].show_refusal(call.refusal)

    def _open(self, dialog: RoleDialog | FormDialog) -> None:
        self._close()
        self.dialog = dialog
        dialog.set_theme(self._theme)
        dialog.open()
        if isinstance(dialog, ParametersDialog):
            dialog.fields[0].setFocus()
        self.opened.emit(dialog)

    def _close(self) -> None:
        """Close the dialog without a word to whoever made it."""
        if self.dialog is not None:
            self.dialog.hide()
            self.dialog = None

    def _forget(self) -> None:
        for dialog in self._parameters.values():
            dialog.deleteLater()
        self._parameters, self._call, self._answered, self._attended = {}, None, None, False


def _same(call: ContractCall, other: ContractCall | None) -> bool:
    """Whether both ask for the same contract."""
    return other is not None and (call.month, call.first_minute) == (other.month, other.first_minute)
