"""Bills on paper, and books as files: printing, PDF and CSV from the page of the bills."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer, Signal, Slot
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QWidget

from central_monitor.adapters.exports import accounts_csv, adjustments_csv, days_csv, minutes_csv, waivers_csv
from central_monitor.books import AccountLine, DayLine, MonthBook
from central_monitor.operator import Operator
from central_monitor.ui.bills_task import Progress, Task, Work
from node.qt.bill_text import bill_document, bill_title
from node.qt.paper import print_with_dialog, write_pdf
from node.qt.text import TextLine
from node.qt.theme import Theme

_CONTEXT = "bills"
translate = QCoreApplication.translate


def bill_page(book: MonthBook, line: AccountLine) -> tuple[str, str]:
    """An account's bill as a document, and its title; the account must have one."""
    assert line.bill is not None
    later = [each for each in book.adjustments if each.account == line.account]
    return bill_document(line.bill, line.check, later), bill_title(line.bill)


def bill_name(book: MonthBook, line: AccountLine) -> str:
    """The name of a bill's file."""
    return f"bill-{book.month}-{line.account}.pdf"


def write_bills(book: MonthBook, folder: Path) -> Work:
    """Every house's bill as a PDF of its own, so that each can be handed on alone."""
    billed = [line for line in book.lines if line.bill is not None]
    for done, line in enumerate(billed):
        yield Progress(done, len(billed))
        html, title = bill_page(book, line)
        write_pdf(html, folder / bill_name(book, line), title)
    return translate(_CONTEXT, "{0} bills were written to {1}").format(len(billed), folder)


def write_csv(operator: Operator, book: MonthBook, line: AccountLine | None, days: int, folder: Path) -> Work:
    """Accounts, adjustments, waivers, everybody's days; of one account, if it is given, also its minutes."""
    total = len(book.lines) + (days if line is not None else 0)
    files = {
        f"accounts-{book.month}.csv": [accounts_csv(book)],
        f"adjustments-{book.month}.csv": [adjustments_csv(book.adjustments, book.zone)],
        f"waivers-{book.month}.csv": [waivers_csv(book)],
    }
    parts = files[f"days-{book.month}.csv"] = []
    for done, each in enumerate(book.lines):
        found: Sequence[DayLine] = yield Progress(done, total, operator.days(book.month, each.account))
        _append(parts, days_csv([(each.account, found)], book.zone))
    if line is not None:
        parts = files[f"minutes-{book.month}-{line.account}.csv"] = []
        for day in range(days):
            question = operator.minutes(book.month, line.account, day)
            table = yield Progress(len(book.lines) + day, total, question)
            _append(parts, minutes_csv(line.account, [table], book.zone))
    for name, contents in files.items():
        (folder / name).write_bytes(b"".join(contents))
    return translate(_CONTEXT, "{0} were written to {1}").format(", ".join(files), folder)


def _append(parts: list[bytes], contents: bytes) -> None:
    """Add a file's lines; the header stands once."""
    parts.append(contents.partition(b"\n")[2] if parts else contents)


class BillOutput(QWidget):
    """The buttons by which bills and books leave the program, and how far long work is.

    Signals:
        said: something to tell the operator, and whether it is a fault.
    """

    said = Signal(str, bool)

    def __init__(self, operator: Operator) -> None:
        super().__init__()
        self._operator = operator
        self._book: MonthBook | None = None
        self._line: AccountLine | None = None  # whose bill is printed
        self._days = 0  # of the account that is open; 0: none is
        self._task = Task(self._tell_fault, self)
        self.print_button = QPushButton(self.tr("&Print bill…"))
        self.pdf_button = QPushButton(self.tr("Bill as PD&F…"))
        self.all_button = QPushButton(self.tr("&All bills as PDF…"))
        self.csv_button = QPushButton(self.tr("&CSV…"))
        self.cancel_button = QPushButton(self.tr("Ca&ncel"))
        self.scope = TextLine("", 12, quiet=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(12)
        self.bar.setAccessibleName(self.tr("Progress"))
        self._lay_out()
        self.print_button.clicked.connect(self._print)
        self.pdf_button.clicked.connect(self._choose_pdf)
        self.all_button.clicked.connect(self._choose_bills)
        self.csv_button.clicked.connect(self._choose_csv)
        self.cancel_button.clicked.connect(self._task.cancel)
        self._task.progressed.connect(self._show_progress)
        self._task.ended.connect(self._show_end)
        self.set_scope(None, None, 0)

    def set_scope(self, book: MonthBook | None, line: AccountLine | None, days: int) -> None:
        """What the buttons are about: the month, the account whose bill it is, and its days if it is open."""
        self._book, self._line, self._days = book, line, days
        has_bill = line is not None and line.bill is not None
        self.print_button.setEnabled(has_bill)
        self.pdf_button.setEnabled(has_bill)
        free = book is not None and not self._task.running
        bills = book is not None and any(each.bill is not None for each in book.lines)
        self.all_button.setEnabled(free and bills)
        self.csv_button.setEnabled(free)
        self.scope.set_text(self._scope_words())

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.scope.set_theme(theme)

    def _scope_words(self) -> str:
        if self._book is None:
            return ""
        if self._line is not None and self._line.bill is not None:
            return self.tr("Bill of house {0}").format(self._line.account)
        if self._book.issued_s is None:
            return self.tr("The month is not billed yet")
        return self.tr("Select a house to print its bill")

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for button in (self.print_button, self.pdf_button, self.all_button, self.csv_button):
            layout.addWidget(button)
        layout.addWidget(self.scope, 1)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.cancel_button)
        self.bar.hide()
        self.cancel_button.hide()

    def _tell_fault(self, error: Exception) -> None:
        self.said.emit(self.tr("It could not be written: {0}").format(_words(error)), True)

    @Slot()
    def _print(self) -> None:
        if self._book is not None and self._line is not None:
            html, title = bill_page(self._book, self._line)
            print_with_dialog(self, html, title, lambda text: self.said.emit(text, True))

    @Slot()
    def _choose_pdf(self) -> None:
        if self._book is None or self._line is None:
            return
        book, line = self._book, self._line
        dialog = QFileDialog(self, self.tr("Bill as PDF"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("PDF (*.pdf)"))
        dialog.setDefaultSuffix("pdf")
        dialog.selectFile(bill_name(book, line))
        self._open(dialog, lambda path: self._write_pdf(book, line, path))

    def _write_pdf(self, book: MonthBook, line: AccountLine, path: Path) -> None:
        html, title = bill_page(book, line)
        try:
            write_pdf(html, path, title)
        except OSError as error:
            self._tell_fault(error)
            return
        self.said.emit(self.tr("The bill was written to {0}").format(path), False)

    @Slot()
    def _choose_bills(self) -> None:
        book = self._book
        if book is not None:
            self._choose_folder(
                self.tr("Folder for all bills, one file a house"),
                lambda folder: self._start(write_bills(book, folder)),
            )

    @Slot()
    def _choose_csv(self) -> None:
        book, line, days = self._book, self._line, self._days
        if book is not None:
            shown = line if days else None
            self._choose_folder(
                self.tr("Folder for the CSV files"),
                lambda folder: self._start(write_csv(self._operator, book, shown, days, folder)),
            )

    def _choose_folder(self, title: str, then: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._open(dialog, then)

    def _open(self, dialog: QFileDialog, then: Callable[[Path], None]) -> None:
        """Ask where to; the window goes on meanwhile."""
        dialog.fileSelected.connect(lambda path: then(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        QDialog.open(dialog)

    def _start(self, work: Work) -> None:
        self.bar.setValue(0)
        for part in (self.bar, self.cancel_button):
            part.show()
        self.scope.hide()
        # The dialog that is closing gives the focus back first.
        QTimer.singleShot(0, self.cancel_button, self.cancel_button.setFocus)
        self._task.start(work)
        self.set_scope(self._book, self._line, self._days)

    @Slot(int, int)
    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)

    @Slot(str)
    def _show_end(self, said: str) -> None:
        for part in (self.bar, self.cancel_button):
            part.hide()
        self.scope.show()
        self.set_scope(self._book, self._line, self._days)
        if said:
            self.said.emit(said, False)


def _words(error: Exception) -> str:
    """A fault for people: the system's own words and the file, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
