"""Long work that is under way, as a line in the window's foot."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from central_monitor.snapshot import Work
from node.qt.text import TextLine
from node.qt.theme import Theme

_WIDTH = 340


class WorkLine(QWidget):
    """What is being done and how far it is; its place stays free while nothing is done."""

    def __init__(self) -> None:
        super().__init__()
        self.text = TextLine("", 13)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(12)
        self.bar.setAccessibleName(self.tr("Progress"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 3)
        layout.addWidget(self.bar, 2)
        self.setFixedWidth(_WIDTH)
        kept = self.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.setSizePolicy(kept)
        self.hide()

    def show_work(self, work: Work | None) -> None:
        """Show this work; None: nothing is done."""
        self.setVisible(work is not None)
        if work is None:
            return
        self.text.set_text(self.tr("{0}: {1} of {2}").format(work.text, work.done, work.total))
        # A total of 0 would be drawn as busy without end.
        self.bar.setRange(0, max(1, work.total))
        self.bar.setValue(work.done)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.text.set_theme(theme)
