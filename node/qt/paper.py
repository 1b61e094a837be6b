"""A document on paper: A4 with page numbers, on a printer or as a PDF with its fonts embedded.

The document is HTML of the kind `QTextDocument` understands. Sizes in it are points or percentages; paper is
white and its ink black, whatever the theme of the screen.
"""

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QMarginsF, QRectF, QSizeF
from PySide6.QtGui import (
    QFont,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextDocument,
)
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QWidget

from node.qt.text import FONT_FAMILIES

_CONTEXT = "paper"
_TEXT_PT = 9.5
_FOOTER_PT = 8.0
_MARGINS_MM = QMarginsF(20, 16, 16, 14)
_RESOLUTION = 300
_FOOTER_LINES = 2.2  # room below the text, in heights of the footer's line


def document_of(html: str) -> QTextDocument:
    """The HTML as a document in the declared font."""
    document = QTextDocument()
    document.setDefaultFont(_font(_TEXT_PT))
    document.setDocumentMargin(0)
    document.setHtml(html)
    return document


def pdf_bytes(html: str, title: str) -> bytes:
    """The document as a PDF file's contents."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setResolution(_RESOLUTION)
    _paint(writer, html, title)
    return bytes(buffer.data().data())


def write_pdf(html: str, path: Path, title: str) -> None:
    """Write the document as a PDF; OSError if that fails, and then a file of before is still whole."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(pdf_bytes(html, title))
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def print_with_dialog(
    parent: QWidget, html: str, title: str, on_fault: Callable[[str], None]
) -> QPrintDialog:
    """Ask for a printer and print; returns at once, and nothing is printed if the dialog is cancelled.

    `on_fault` is told in words if the printer does not take the document.
    """
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(title)
    dialog = QPrintDialog(printer, parent)
    dialog.setWindowTitle(title)

    def print_now() -> None:
        try:
            _paint(printer, html, title)
        except OSError as error:
            on_fault(str(error))

    dialog.accepted.connect(print_now)
    dialog.finished.connect(dialog.deleteLater)
    QDialog.open(dialog)  # not the print dialog's own, which wants a receiver
    return dialog


def _paint(device: QPagedPaintDevice, html: str, title: str) -> None:
    layout = QPageLayout(
        QPageSize(QPageSize.PageSizeId.A4),
        QPageLayout.Orientation.Portrait,
        _MARGINS_MM,
        QPageLayout.Unit.Millimeter,
    )
    device.setPageLayout(layout)
    painter = QPainter(device)
    if not painter.isActive():
        raise OSError(QCoreApplication.translate(_CONTEXT, "The printer does not take the document."))
    try:
        _paint_pages(painter, device, document_of(html), title)
    finally:
        painter.end()


def _paint_pages(painter: QPainter, device: QPagedPaintDevice, document: QTextDocument, title: str) -> None:
    footer = _font(_FOOTER_PT)
    painter.setFont(footer)
    line = painter.fontMetrics().height()
    room = QRectF(painter.viewport())
    page = QSizeF(room.width(), room.height() - _FOOTER_LINES * line)
    document.documentLayout().setPaintDevice(device)
    document.setPageSize(page)
    pages = document.pageCount()
    for number in range(pages):
        if number:
            device.newPage()
        painter.save()
        painter.translate(0, -number * page.height())
        document.drawContents(painter, QRectF(0, number * page.height(), page.width(), page.height()))
        painter.restore()
        painter.setFont(footer)
        base = room.height() - 0.3 * line
        said = QCoreApplication.translate(_CONTEXT, "Page {0} of {1}").format(number + 1, pages)
        painter.drawText(QRectF(0, base - line, page.width(), line), title)
        right = page.width() - painter.fontMetrics().horizontalAdvance(said)
        painter.drawText(QRectF(right, base - line, page.width() - right + line, line), said)


def _font(points: float) -> QFont:
    font = QFont()
    font.setFamilies(FONT_FAMILIES)
    font.setPointSizeF(points)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
