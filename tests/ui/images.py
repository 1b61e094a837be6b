"""Reading pictures of widgets."""

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget


def picture(widget: QWidget) -> np.ndarray:
    """The widget as it is drawn: rows, columns, red-green-blue."""
    return pixels_of(widget.grab().toImage())


def on_screen(window: QWidget) -> np.ndarray:
    """The window as its repaints up to now have left it; nothing is drawn anew."""
    image = window.backingStore().paintDevice()
    assert isinstance(image, QImage)
    return pixels_of(image)


def pixels_of(image: QImage) -> np.ndarray:
    """The image's rows, columns, red-green-blue."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def grey(pixels: np.ndarray) -> np.ndarray:
    """The picture as a greyscale print shows it."""
    return (pixels @ np.array([0.299, 0.587, 0.114])).round().astype(int)


def saturation(pixels: np.ndarray) -> np.ndarray:
    """HSV saturation, 0 to 1, of each pixel."""
    most, least = pixels.max(axis=2).astype(float), pixels.min(axis=2).astype(float)
    return np.where(most > 0, (most - least) / np.maximum(most, 1), 0)


def place_in(widget: QWidget, window: QWidget) -> QRect:
    """Where the widget lies in its window."""
    return QRect(widget.mapTo(window, widget.rect().topLeft()), widget.size())


def blank(pixels: np.ndarray, place: QRect) -> None:
    """Paint a place over, so that it does not count."""
    pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1] = 0
