"""Who stands at the desk: the name that every change is kept with, and the dialogs that ask for it."""

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QWidget

from node.qt.form import FormDialog, TextField

_KEY = "central/operator"
LONGEST_NAME = 60


class DeskName(QObject):
    """The name of the operator at the desk; remembered until another one is entered.

    Signals:
        changed: the new name.
    """

    changed = Signal(str)

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings

    @property
    def name(self) -> str:
        """The name; empty if nobody has entered one yet."""
        return str(self._settings.value(_KEY, ""))

    def set_name(self, name: str) -> None:
        """Remember this name."""
        if name != self.name:
            self._settings.setValue(_KEY, name)
            self._settings.sync()
            self.changed.emit(name)


class OrderDialog(FormDialog):
    """A dialog whose order is kept with the name of who gave it; without a name it is refused in words.

    A kind of dialog calls `add_author` after its own fields.
    """

    def __init__(
        self, title: str, accept_text: str, desk: DeskName, *, parent: QWidget | None = None
    ) -> None:
        super().__init__(title, accept_text, parent=parent)
        self._desk = desk
        self.author = TextField(
            self.tr("Operator at the des&k"),
            missing=self.tr("Enter your name: every change is kept with the name of who made it."),
            longest=LONGEST_NAME,
        )

    def done(self, result: int) -> None:
        """Close; nobody needs it any more, unless its order is still on its way."""
        super().done(result)
        if not self.waiting:
            self.deleteLater()

    def add_author(self) -> None:
        """Ask for the name last; the one that is remembered stands there already."""
        self.add_field(self.author).set_value(self._desk.name)

    def accept(self) -> None:
        """The order was carried out: its author stands at the desk now."""
        self._desk.set_name(self.author.value())
        super().accept()
