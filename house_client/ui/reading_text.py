"""Paragraphs to read on a touch screen: wrapped, scrolled by finger or by keyboard."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QScroller, QTextBrowser

from node.qt.text import ui_font
from node.qt.theme import Theme


class ReadingText(QTextBrowser):
    """Plain text in paragraphs; what does not fit is scrolled to."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self._text = ""
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTabChangesFocus(True)
        QScroller.grabGesture(self.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        self.set_size(size)

    def set_paragraphs(self, paragraphs: list[str]) -> None:
        """Show these paragraphs; where one has scrolled to is kept while they stay the same."""
        text = "\n\n".join(paragraphs)
        if text != self._text:
            self._text = text
            self.setPlainText(text)
            self.setAccessibleDescription(text)

    def set_theme(self, theme: Theme) -> None:
        """Its colours come with the style sheet."""

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        self.setFont(ui_font(int(size)))

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 48)
