"""A dialog of fields: Enter sends, Esc gives up; it stays while anything is wrong, nothing typed is lost."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QEvent, QMargins, QObject, QSize, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from node.qt.asking import ask
from node.qt.field import KIOSK_SIZE, SIZE, TARGET, FaultLine, Field, Paragraph
from node.qt.text import ui_font
from node.qt.theme import Theme

Order = Callable[[], "Future[None]"]
AnyField = TypeVar("AnyField", bound=Field)

_WIDTH = 60  # of a dialog, in text sizes
_TITLE_BAR = 40  # pixels that a window's frame may take from the screen's height
_HEADING = 1.25  # size of the title, of the text's


class FormDialog(QDialog):
    """Fields one under another, a button to accept and one to cancel.

    On Enter every field in view checks itself and `find_faults` is asked; the first faulty field gets the
    focus. If nothing is wrong, `order` is given. The dialog closes once that was carried out; a refusal is
    said in it, at the field that `field_to_blame` names if there is one, and nothing typed is lost. Esc after
    Enter takes no order back: a dialog that is refused after it was closed comes up again.
    """

    def __init__(
        self, title: str, accept_text: str = "", *, kiosk: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._kiosk, self._size = kiosk, KIOSK_SIZE if kiosk else SIZE
        self._waiting = False
        self._given_up = False  # closed while an order was on its way
        self.fields: list[Field] = []
        self.accept_button = QPushButton(accept_text or self.tr("OK"))
        # Enter and Esc press these two: the letters are left to the fields.
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self._accept_text = self.accept_button.text()
        self._heading, self._fault, self._buttons = Paragraph(title), FaultLine(), QWidget()
        self._content, self._scroll = QWidget(), QScrollArea()
        self._rows = QVBoxLayout(self._content)
        self._layout = QVBoxLayout(self)
        self._lay_out()
        self.accept_button.setDefault(True)
        self.accept_button.clicked.connect(self.send)
        self.cancel_button.clicked.connect(self.reject)

    # --- what a dialog is made of -------------------------------------------------------------------

    def add_field(self, field: AnyField) -> AnyField:
        """Put the field under those there are; returns it."""
        field.set_kiosk(self._kiosk)
        self.fields.append(field)
        self._rows.addWidget(field)
        width = max(each.label.sizeHint().width() for each in self.fields)
        for each in self.fields:
            each.label.setFixedWidth(width)
        return field

    def add_text(self, text: str) -> QLabel:
        """Put a paragraph under the fields there are; returns its label."""
        label = Paragraph(text)
        label.setFont(ui_font(int(self._size)))
        self._rows.addWidget(label)
        return label

    def add_widget(self, widget: QWidget) -> None:
        """Put something to look at under the fields there are."""
        self._rows.addWidget(widget)

    def find_faults(self) -> dict[Field, str]:
        """What is wrong with the fields taken together, in sentences; asked when each is right by itself."""
        return {}

    def order(self) -> "Future[None] | None":
        """Have done what was typed; None: there is nothing to wait for."""
        return None

    def field_to_blame(self, error: Exception) -> Field | None:
        """The field at which a refusal is said; None: in the dialog."""
        return None

    @property
    def waiting(self) -> bool:
        """Whether an order was given that is neither carried out nor refused yet."""
        return self._waiting

    # --- at work --------------------------------------------------------------------------------------

    @property
    def fault(self) -> str:
        """What is said about the whole; empty if nothing is."""
        return self._fault.text()

    def set_fault(self, text: str) -> None:
        """Say what is wrong with the whole; empty: nothing is."""
        self._fault.set_text(text)
        self._grow()

    @Slot()
    def send(self) -> None:
        """Check everything and give the order, or show what is wrong."""
        if self._waiting:
            return
        self.set_fault("")
        shown = [field for field in self.fields if field.isEnabled() and field.isVisibleTo(self)]
        faults = {field: text for field in shown if (text := field.check())} or self.find_faults()
        for field in self.fields:
            field.set_fault(faults.get(field, ""))
        if faults:
            self._lead_to(next(field for field in self.fields if field in faults))
            return
        future = self.order()
        if future is None:
            self.accept()
            return
        self._given_up = False
        self._wait(True)
        ask(self, future, self._carried_out, self._refused)

    def reject(self) -> None:
        """Close; an order that was given goes its way."""
        self._given_up = self._waiting
        super().reject()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())

    def sizeHint(self) -> QSize:
        """High enough for all fields, if the screen is."""
        room, edges = self._room(), self._layout.contentsMargins()
        width = min(round(self._size * _WIDTH), room.width())
        inside = width - edges.left() - edges.right()
        parts = [
            part
            for part in (self._heading, self._content, self._fault, self._buttons)
            if part.isVisibleTo(self)
        ]
        inside -= self._scroll.verticalScrollBar().sizeHint().width()  # once shown it would stay
        height = sum(_height(part, inside) for part in parts) + self._layout.spacing() * (len(parts) - 1)
        return QSize(width, min(height + edges.top() + edges.bottom(), room.height()))

    def minimumSizeHint(self) -> QSize:
        """As the size hint: the fields scroll only where the screen is too small for them."""
        return self.sizeHint()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Grow with what the fields say; never shrink, so that nothing jumps under the person's hands."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._grow()
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin at the first field; texts have their sizes only now."""
        super().showEvent(event)
        if self.focusWidget() is None and self.fields:
            self.fields[0].setFocus(Qt.FocusReason.TabFocusReason)
        self._grow()

    def _grow(self) -> None:
        if self.isVisible():
            self.resize(self.size().expandedTo(self.sizeHint()))

    def _room(self) -> QSize:
        """The most it may take: its window's size on a kiosk, the screen's elsewhere."""
        parent = self.parentWidget()
        if self._kiosk and parent is not None:
            return parent.window().size()
        return self.screen().availableSize().shrunkBy(QMargins(0, _TITLE_BAR, 0, 0))

    def _lay_out(self) -> None:
        self._heading.setFont(ui_font(int(self._size * _HEADING), bold=True))
        self._fault.set_size(self._size)
        self._scroll.setWidget(self._content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows.setContentsMargins(0, 0, 8, 0)
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 6, 0, 0)
        row.addStretch(1)
        for button in (self.accept_button, self.cancel_button):
            button.setProperty("kiosk", self._kiosk)
            button.setMinimumHeight(TARGET if self._kiosk else 0)
            button.setFont(ui_font(int(self._size)))
            row.addWidget(button)
        self._layout.setContentsMargins(18, 14, 18, 14)
        for part, stretch in ((self._heading, 0), (self._scroll, 1), (self._fault, 0), (self._buttons, 0)):
            self._layout.addWidget(part, stretch)
        self._content.installEventFilter(self)

    def _lead_to(self, field: Field) -> None:
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(field)

    def _wait(self, waiting: bool) -> None:
        self._waiting = waiting
        self.accept_button.setText(self.tr("One moment …") if waiting else self._accept_text)

    def _carried_out(self, _: None) -> None:
        self._wait(False)
        self.accept()

    def _refused(self, error: Exception) -> None:
        self._wait(False)
        if self._given_up:
            self.open()  # the refusal must not be lost
        blamed = self.field_to_blame(error)
        if blamed is None:
            self.set_fault(str(error))
        else:
            blamed.set_fault(str(error))
            self._lead_to(blamed)


class ConfirmDialog(FormDialog):
    """Says in a sentence what will be done, and has it done on Enter."""

    def __init__(
        self, title: str, sentence: str, accept_text: str, order: Order, *, parent: QWidget | None = None
    ) -> None:
        super().__init__(title, accept_text, parent=parent)
        self._order = order
        self.add_text(sentence)

    def order(self) -> "Future[None]":
        return self._order()


def _height(part: QWidget, width: int) -> int:
    return part.heightForWidth(width) if part.hasHeightForWidth() else part.sizeHint().height()
