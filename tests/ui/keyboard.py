"""A person who has only a keyboard."""

from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QLineEdit, QWidget
from shiboken6 import isValid

from node.qt.form import FormDialog, MomentField

SLOW_MS = 20_000  # folders are read, files are written
AnyWidget = TypeVar("AnyWidget", bound=QWidget)
AnyDialog = TypeVar("AnyDialog", bound=FormDialog)


def show_active(qtbot, widget: AnyWidget, size: tuple[int, int] | None = None) -> AnyWidget:
    """Show the widget as a window of its own, which takes the keys."""
    qtbot.addWidget(widget)
    if size is not None:
        widget.resize(*size)
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)
    return widget


def open_active(qtbot, dialog: AnyDialog) -> AnyDialog:
    """Open the dialog of no page, so that it takes the keys."""
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def focus() -> QWidget:
    """What takes the keys now."""
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def press(qtbot, *keys: Qt.Key) -> None:
    """Press and release these keys, one after another."""
    for key in keys:
        qtbot.keyClick(focus(), key)


def alt(qtbot, widget: QWidget, letter: str) -> None:
    """Press a mnemonic in the widget's window."""
    qtbot.keyClick(widget.window(), getattr(Qt.Key, f"Key_{letter.upper()}"), Qt.KeyboardModifier.AltModifier)


def go_to(window: QWidget, field: QWidget) -> None:
    """Give the focus to a field, as Tab does."""
    field.setFocus(Qt.FocusReason.TabFocusReason)
    assert window.isAncestorOf(focus())


def tab_to(qtbot, widget: QWidget, most: int) -> None:
    """Press Tab until the widget has the focus, this often at most."""
    for _ in range(most):
        if widget.hasFocus():
            return
        press(qtbot, Qt.Key.Key_Tab)
    pytest.fail("the Tab key does not reach it")


def type_over(qtbot, text: str) -> None:
    """Write this in place of what stands in the field that has the focus."""
    qtbot.keyClick(focus(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    if text:
        qtbot.keyClicks(focus(), text)
    else:
        qtbot.keyClick(focus(), Qt.Key.Key_Delete)


def type_moment(qtbot, field: MomentField, day: str, time: str) -> None:
    """Write day and time, such as 25122024 and 0930, with the field's mnemonic pressed before."""
    assert field.isAncestorOf(focus())
    qtbot.keyClicks(focus(), day)
    press(qtbot, Qt.Key.Key_Tab, Qt.Key.Key_Tab)  # past the calendar
    qtbot.keyClicks(focus(), time)


def paste_path(qtbot, page: QWidget, path: Path) -> None:
    """Put a path into the page's file dialog, accept, and have the page take the keys again.

    It is pasted: typed faster than folders are read, Qt's own dialog completes it to something else.
    """

    def opened() -> list[QFileDialog]:
        return [each for each in page.findChildren(QFileDialog) if each.isVisible()]

    qtbot.waitUntil(lambda: opened() != [], timeout=SLOW_MS)
    (dialog,) = opened()
    field = dialog.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.selectAll()
    QApplication.clipboard().setText(str(path))
    qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=SLOW_MS)
    page.window().activateWindow()
    qtbot.waitUntil(page.window().isActiveWindow, timeout=SLOW_MS)


def dialog_of(qtbot, page: QWidget) -> Any:
    """The dialog that the page has opened, of whatever kind, once it takes the keys."""

    def opened() -> FormDialog | None:
        return next((each for each in page.findChildren(FormDialog) if each.isVisible()), None)

    qtbot.waitUntil(lambda: (dialog := opened()) is not None and dialog.isActiveWindow())
    return opened()


def closed(qtbot, dialog: FormDialog) -> None:
    """Wait until the dialog is gone and its page takes the keys again."""
    page = dialog.parentWidget() if isValid(dialog) else None
    qtbot.waitUntil(lambda: not isValid(dialog) or not dialog.isVisible())
    if page is not None:
        page.window().activateWindow()
        qtbot.waitUntil(page.window().isActiveWindow)


def mnemonics(window: QWidget) -> list[str]:
    """The letters that lead somewhere in a window; one that stands twice leads nowhere."""
    labels = [label.text() for label in window.findChildren(QLabel) if label.buddy() is not None]
    texts = labels + [button.text() for button in window.findChildren(QAbstractButton)]
    found = (QKeySequence.mnemonic(text).toString() for text in texts)
    return [letter for letter in found if letter]
