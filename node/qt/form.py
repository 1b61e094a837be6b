"""Forms: fields in which people type, and dialogs that hold them.

The limit stands beside a field, a fault under it in words; everything is reached by keyboard; what was
typed stays until it is accepted or given up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from PySide6.QtCore import QLocale, QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from node.qt.dialog import ConfirmDialog, FormDialog
from node.qt.field import SMALLER, TARGET, Field, ListBox, Paragraph, beside, plain
from node.qt.format import MINUS, number
from node.qt.moment import MomentField
from node.qt.text import ui_font

__all__ = [
    "Choice",
    "ChoiceField",
    "ConfirmDialog",
    "Field",
    "FormDialog",
    "ListField",
    "MomentField",
    "NumberField",
    "TextField",
]

_NUMBER_WIDTH = 9  # of a number's editor, in text sizes
_INDENT = 1.9  # of the sentence under a choice, in text sizes
_DECIMAL_WIDTH = 0.7  # more for each decimal beyond two


class NumberField(Field):
    """A number with its unit and at most so many decimals, written as the locale writes numbers."""

    def __init__(self, label: str, unit: str, decimals: int, limit_text: str = "") -> None:
        edit, unit_label = QLineEdit(), QLabel(unit)
        super().__init__(label, (edit,), limit_text, (unit_label,))
        self._edit, self._decimals = edit, decimals
        self._edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._edit.setAccessibleName(f"{plain(label)}, {unit}" if unit else plain(label))
        self.place(beside(self._edit, unit_label))
        self.set_kiosk(False)
        self._edit.textEdited.connect(self._touched)

    def value(self) -> float | None:
        """The number; None if what is typed is none, or has more decimals than it may."""
        return None if self.check() else self._parsed()

    def set_value(self, value: float | None) -> None:
        """Show this number; None: nothing."""
        self._edit.setText("" if value is None else self.as_typed(value))
        self._touched()

    def as_typed(self, value: float) -> str:
        """The number as it would be typed here: limits beside the field are written so."""
        return number(value, self._decimals).replace(QLocale().groupSeparator(), "")

    def text(self) -> str:
        """What is typed, as it is."""
        return self._edit.text()

    def check(self) -> str:
        if self._parsed() is None:
            example = number(2.5, min(2, self._decimals)) if self._decimals else number(3, 0)
            return self.tr("Enter a number, such as {0}.").format(example)
        _, _, decimals = self._edit.text().strip().partition(QLocale().decimalPoint())
        if len(decimals.rstrip(QLocale().zeroDigit())) > self._decimals:
            if not self._decimals:
                return self.tr("Enter a whole number.")
            return self.tr("Use at most {0} decimals.").format(self._decimals)
        return ""

    def set_size(self, size: float) -> None:
        super().set_size(size)
        extra = _DECIMAL_WIDTH * max(0, self._decimals - 2)
        self._edit.setFixedWidth(round(size * (_NUMBER_WIDTH + extra)))

    def _parsed(self) -> float | None:
        locale = QLocale()
        # 1.234 is read as a thousand in one country and as one in the next: separators are not taken.
        locale.setNumberOptions(QLocale.NumberOption.RejectGroupSeparator)
        text = self._edit.text().strip().replace(MINUS, locale.negativeSign())
        if any(character.isalpha() for character in text):
            return None  # neither "inf" nor "1e6"
        value, read = locale.toDouble(text)
        return value if read and isfinite(value) else None


class TextField(Field):
    """A line of text; spaces around it do not count. `missing` is said if nothing is typed but must be."""

    def __init__(
        self,
        label: str,
        limit_text: str = "",
        *,
        required: bool = False,
        missing: str = "",
        longest: int = 200,
    ) -> None:
        edit = QLineEdit()
        super().__init__(label, (edit,), limit_text)
        self._edit, self._required = edit, required or bool(missing)
        self._missing = missing or self.tr("Enter something here; it must not be empty.")
        self._edit.setMaxLength(longest)
        self._edit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.place(self._edit, wide=True)
        self.set_kiosk(False)
        self._edit.textEdited.connect(self._touched)

    def value(self) -> str:
        """What is typed, without spaces around it."""
        return self._edit.text().strip()

    def set_value(self, text: str) -> None:
        """Show this text."""
        self._edit.setText(text)
        self._touched()

    def check(self) -> str:
        return self._missing if self._required and not self.value() else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: what it stands for, its name, and a sentence on what it does."""

    value: object
    text: str
    detail: str = ""


class ChoiceField(Field):
    """One of a few, all in view: each with the sentence that says what it does. The first is chosen."""

    def __init__(self, label: str, choices: Sequence[Choice], limit_text: str = "") -> None:
        buttons = [QRadioButton(choice.text) for choice in choices]
        super().__init__(label, buttons, limit_text)
        self._buttons, self._values = buttons, [choice.value for choice in choices]
        self._details = [Paragraph(choice.detail) for choice in choices]
        self._group = QButtonGroup(self)
        self.place(self._column(), wide=True)
        for button, choice in zip(buttons, choices, strict=True):
            button.setAccessibleName(f"{plain(label)}: {plain(choice.text)}")
            button.setAccessibleDescription(choice.detail)
            self._group.addButton(button)
        self._grid.setAlignment(self.label, Qt.AlignmentFlag.AlignTop)
        self.set_kiosk(False)
        self.set_value(self._values[0])
        self._group.buttonToggled.connect(self._chosen)

    def value(self) -> Any:
        """What the chosen one stands for."""
        return next(v for v, b in zip(self._values, self._buttons, strict=True) if b.isChecked())

    def set_value(self, value: object) -> None:
        """Choose the one that stands for this; ValueError if none does."""
        self._buttons[self._values.index(value)].setChecked(True)
        self._lead_here()

    def set_size(self, size: float) -> None:
        super().set_size(size)
        for detail in self._details:
            detail.setFont(ui_font(int(size * SMALLER)))
            detail.setContentsMargins(round(size * _INDENT), 0, 0, 4)

    def _column(self) -> QWidget:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for button, detail in zip(self._buttons, self._details, strict=True):
            detail.setObjectName("limit")
            layout.addWidget(button)
            layout.addWidget(detail)
            detail.setVisible(bool(detail.text()))
        return column

    def _chosen(self, _button: QAbstractButton, checked: bool) -> None:
        if checked:
            self._lead_here()
            self._touched()

    def _lead_here(self) -> None:
        """The label's mnemonic presses its buddy: it must be the one that is chosen already."""
        chosen = next(button for button in self._buttons if button.isChecked())
        self.label.setBuddy(chosen)
        self.setFocusProxy(chosen)


class ListField(Field):
    """One of many, from a list that opens; the list may be renewed."""

    def __init__(self, label: str, choices: Sequence[Choice] = (), limit_text: str = "") -> None:
        box = ListBox()
        super().__init__(label, (box,), limit_text)
        self._box = box
        self._values: list[object] = []
        self._choices: tuple[Choice, ...] = ()
        self._row_height = 0
        box.setItemDelegate(QStyledItemDelegate(box))  # the style's own takes no height of a row
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.place(beside(self._box, stretch=True), wide=True)
        self.set_kiosk(False)
        self.set_choices(choices)
        self._box.currentIndexChanged.connect(self._touched)

    def value(self) -> Any:
        """What the chosen one stands for; None while there is none to choose."""
        return self._values[self._box.currentIndex()] if self._values else None

    def set_value(self, value: object) -> None:
        """Choose the one that stands for this; ValueError if none does."""
        self._box.setCurrentIndex(self._values.index(value))

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer these; what was chosen stays chosen if it is among them, else the first is."""
        if self._choices == tuple(choices):
            return  # a list that is open stays so
        before, self._choices = self.value(), tuple(choices)
        with QSignalBlocker(self._box):
            self._box.clear()
            self._values = [choice.value for choice in choices]
            for choice in choices:
                self._box.addItem(f"{choice.text}  {choice.detail}".rstrip())
            self._size_rows()
            if before in self._values:
                self._box.setCurrentIndex(self._values.index(before))
        if self.value() != before:
            self._touched()

    def set_kiosk(self, kiosk: bool) -> None:
        super().set_kiosk(kiosk)
        self._row_height = TARGET if kiosk else 0  # 0: as high as its text
        self._size_rows()

    def check(self) -> str:
        return "" if self._values else self.tr("There is nothing to choose from.")

    def _size_rows(self) -> None:
        height = QSize(0, self._row_height) if self._row_height else None
        for row in range(self._box.count()):
            self._box.setItemData(row, height, Qt.ItemDataRole.SizeHintRole)
