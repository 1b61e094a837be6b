"""Pages behind large buttons: the kiosk's own, and those under Set-up."""

from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from house_client.snapshot import HouseSnapshot
from house_client.ui.buttons import KioskButton
from node.qt.theme import Theme

_BUTTON = 23.0


class Page(Protocol):
    """What is asked of a page; it is a widget."""

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""

    def refresh(self) -> None:
        """Fetch what does not come with snapshots; called when the page is chosen."""


class PageStack(QWidget):
    """Pages of which one is shown, chosen by a row of large buttons; itself a page.

    Only the page that is shown is given snapshots; another one gets the last when it is chosen.

    Signals:
        chosen: the index of the page that is now shown.
    """

    chosen = Signal(int)

    def __init__(self, *, buttons_above: bool = False) -> None:
        super().__init__()
        self.buttons: list[KioskButton] = []
        self._pages: list[Page] = []
        self._snapshot: HouseSnapshot | None = None
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.choose)
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._stack, 1)
        layout.insertLayout(0 if buttons_above else 1, self._row)

    def add(self, title: str, widget: QWidget, page: Page) -> None:
        """Add a page, which is this widget, with a button of this title."""
        button = self.button(title)
        button.setCheckable(True)
        self._group.addButton(button, len(self._pages))
        self._pages.append(page)
        self._stack.addWidget(widget)
        if len(self._pages) == 1:
            button.setChecked(True)

    def button(self, title: str) -> KioskButton:
        """Add a button that chooses no page."""
        button = KioskButton(title, _BUTTON)
        self.buttons.append(button)
        self._row.addWidget(button, 1)
        return button

    @property
    def pages(self) -> tuple[Page, ...]:
        """All pages, by their buttons."""
        return tuple(self._pages)

    @property
    def index(self) -> int:
        """The page that is shown."""
        return self._stack.currentIndex()

    def choose(self, index: int) -> None:
        """Show this page."""
        self._group.button(index).setChecked(True)
        self._group.button(index).setFocus()
        self._stack.setCurrentIndex(index)
        if self._snapshot is not None:
            self._pages[index].show_snapshot(self._snapshot)
        self._pages[index].refresh()
        self.chosen.emit(index)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot on the page that is shown."""
        self._snapshot = snapshot
        if self._pages:
            self._pages[self.index].show_snapshot(snapshot)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for page in self._pages:
            page.set_theme(theme)

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""
        for page in self._pages:
            page.set_scale(scale)
        for button in self.buttons:
            button.set_size(_BUTTON * scale)

    def refresh(self) -> None:
        """Fetch what does not come with snapshots."""
        if self._pages:
            self._pages[self.index].refresh()
