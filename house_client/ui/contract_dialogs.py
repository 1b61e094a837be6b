"""The dialogs of *Create Contract*: role, parameters, and the summary that is final (Figs 5.3-5.5)."""

from concurrent.futures import Future

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScroller,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from house_client.household import Household
from house_client.ui.buttons import TARGET, KioskButton
from house_client.ui.contract_words import capital, consequence_words
from microgrid.contracting import Wish, wish_faults
from microgrid.terms import MAX_PRICE, Contract, Obligation, Role, Source
from microgrid.units import MICROCOINS_PER_COIN, microcoins, watts
from microgrid.wire.messages import ContractCall
from node.qt.bill_text import contract_words
from node.qt.field import KIOSK_SIZE, Field, Paragraph, plain
from node.qt.form import Choice, FormDialog, ListField, NumberField
from node.qt.format import MINUS, month_name, number, power, price
from node.qt.text import ui_font
from node.qt.theme import Theme

_STEP_KW = 0.05
_STEP_COINS = 0.5
_REPEAT_MS = 120


class RoleDialog(QDialog):
    """Asks whether the house will be producer or consumer in the month (Fig 5.3).

    Signals:
        chosen: the role.
    """

    chosen = Signal(object)

    def __init__(self, call: ContractCall, parent: QWidget) -> None:
        super().__init__(parent)
        month = month_name(call.month)
        self.setWindowTitle(self.tr("Contract for {0}").format(month))
        question = Paragraph(
            self.tr("In {0}, will your house be producer or consumer of power?").format(month)
        )
        question.setFont(ui_font(int(KIOSK_SIZE * 1.25), bold=True))
        self.producer = _RoleButton(
            self.tr("&Producer"),
            self.tr(
                "You sell what you generate, at your price. You owe your minimum, and up to your maximum when"
                " the central asks; each kWh you fail to give may cost {0} coins."
            ).format(price(call.tariff).number),
        )
        self.consumer = _RoleButton(
            self.tr("C&onsumer"),
            self.tr(
                "You buy from your neighbours at the micro-grid's rate and owe nothing. Beyond your share of"
                " what they can give, a kWh may cost {0} coins."
            ).format(price(call.tariff).number),
        )
        self.later = KioskButton(self.tr("&Later"), KIOSK_SIZE)
        self.producer.clicked.connect(lambda: self._choose(Role.PRODUCER))
        self.consumer.clicked.connect(lambda: self._choose(Role.CONSUMER))
        self.later.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.setSpacing(10)
        for part in (question, self.producer, self.consumer):
            layout.addWidget(part)
        final = Paragraph(self.tr("The role is final for the month."))
        final.setFont(ui_font(int(KIOSK_SIZE)))
        last = QHBoxLayout()
        last.addWidget(final, 1)
        last.addWidget(self.later)
        layout.addLayout(last)
        self.resize(parent.width(), self.heightForWidth(parent.width()))
        before = call.last.role if call.last is not None else Role.CONSUMER
        (self.producer if before is Role.PRODUCER else self.consumer).setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())

    def _choose(self, role: Role) -> None:
        self.accept()
        self.chosen.emit(role)


class _RoleButton(QPushButton):
    """A role with the sentence on what it obliges to and may cost; all of it one button."""

    def __init__(self, role: str, sentence: str) -> None:
        super().__init__()
        self.setProperty("touch", True)
        self.setAccessibleName(f"{plain(role)}. {sentence}")
        letter = role[role.index("&") + 1]
        title, detail = QLabel(role.replace(f"&{letter}", f"<u>{letter}</u>")), Paragraph(sentence)
        self.setShortcut(f"Alt+{letter}")
        title.setFont(ui_font(int(KIOSK_SIZE * 1.2), bold=True))
        detail.setFont(ui_font(int(KIOSK_SIZE)))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 8, 14, 8)
        for label in (title, detail):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._column.addWidget(label)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(TARGET, self._column.heightForWidth(width))

    def sizeHint(self) -> QSize:
        return self._column.sizeHint()


class SteppedField(NumberField):
    """A number that a finger can change as well, with − and + beside it."""

    def __init__(self, label: str, unit: str, step: float, limit_text: str = "") -> None:
        super().__init__(label, unit, 2, limit_text)
        self._step = step
        self.less, self.more = QPushButton(MINUS), QPushButton("+")
        together = self._edit.parentWidget()  # the number and its unit
        row = together.layout() if together is not None else None
        assert isinstance(row, QHBoxLayout)
        for place, (button, sign) in enumerate(((self.less, -1), (self.more, 1))):
            button.setProperty("touch", True)
            button.setFont(ui_font(int(KIOSK_SIZE), bold=True))
            button.setFixedSize(TARGET + 6, TARGET + 6)
            button.setAutoDefault(False)
            button.setAutoRepeat(True)
            button.setAutoRepeatInterval(_REPEAT_MS)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # who has a keyboard types the number
            button.clicked.connect(lambda _=False, by=sign: self._change(by))
            row.insertWidget(2 * place, button)

    def _change(self, by: int) -> None:
        steps = round((self.value() or 0.0) / self._step) + by
        self.set_value(max(0.0, steps * self._step))


class ParametersDialog(FormDialog):
    """What a role's dialogs share: the wish that is typed, its faults at their fields, its consequence."""

    def __init__(self, title: str, call: ContractCall, parent: QWidget) -> None:
        super().__init__(title.format(month_name(call.month)), self.tr("&Go on"), kiosk=True, parent=parent)
        self._call = call
        self._by_name: dict[str, Field] = {}
        self.cancel_button.setText(self.tr("&Back"))
        self._consequence = self.add_text("")
        QScroller.grabGesture(self._scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)

    @property
    def consequence(self) -> str:
        """What is said of what is typed now."""
        return self._consequence.text()

    def wish(self) -> Wish | None:
        """What is typed; None while it is not all there."""
        raise NotImplementedError

    def find_faults(self) -> dict[Field, str]:
        wish = self.wish()
        assert wish is not None  # every field is right by itself
        faults = wish_faults(wish, self._call.connection_w, self._call.tariff)
        return {self._by_name[name]: text for name, text in faults.items()}

    @Slot()
    def send(self) -> None:
        """Check everything; what is typed wrongly has no consequence, and its faults need the room."""
        super().send()
        self._consequence.setVisible(not any(field.fault for field in self.fields))

    def showEvent(self, event: QShowEvent) -> None:
        self._consequence.show()
        super().showEvent(event)

    def show_refusal(self, refusal: dict[str, str]) -> None:
        """Say at each field what the central said of it, and the rest above the buttons."""
        for name, field in self._by_name.items():
            field.set_fault(refusal.get(name, ""))
        others = [text for name, text in refusal.items() if name not in self._by_name]
        self.set_fault(" ".join(others))
        faulty = [field for field in self._by_name.values() if field.fault]
        self._consequence.setVisible(not faulty)
        if faulty:
            self._lead_to(faulty[0])

    def _add(self, name: str, field: Field) -> None:
        self._by_name[name] = field
        self.add_field(field)
        field.changed.connect(self._say_consequence)

    def _say_consequence(self) -> None:
        wish = self.wish()
        text = self.tr("Enter the numbers to see what they oblige you to and may cost.")
        self._consequence.setText(text if wish is None else consequence_words(wish, self._call.tariff))

    def _connection_words(self) -> str:
        return self.tr("up to {0}, your connection").format(power(self._call.connection_w))


class ConsumerDialog(ParametersDialog):
    """The most the house will draw (Fig 5.5)."""

    def __init__(self, call: ContractCall, parent: QWidget) -> None:
        super().__init__(self.tr("Consumer in {0}"), call, parent)
        used = (
            ""
            if call.last_max_w is None
            else self.tr("; most used last month: {0}").format(power(call.last_max_w))
        )
        self.max_kw = SteppedField(self.tr("&Maximum power"), "kW", _STEP_KW, self._connection_words() + used)
        self._add("max_w", self.max_kw)
        last = call.last
        if last is not None and last.role is Role.CONSUMER:
            self.max_kw.set_value(last.max_w / 1000)
        self._say_consequence()

    def wish(self) -> Wish | None:
        value = self.max_kw.value()
        return None if value is None else Wish(role=Role.CONSUMER, max_w=watts(value))


class ProducerDialog(ParametersDialog):
    """What the house will sell, at what price, from which source (Fig 5.4)."""

    def __init__(self, call: ContractCall, parent: QWidget) -> None:
        super().__init__(self.tr("Producer in {0}"), call, parent)
        self.min_kw = SteppedField(
            self.tr("M&inimum power"), "kW", _STEP_KW, self.tr("0 or more, at most the maximum")
        )
        self.max_kw = SteppedField(self.tr("&Maximum power"), "kW", _STEP_KW, self._connection_words())
        self.price = SteppedField(self.tr("&Price"), "coins/kWh", _STEP_COINS)
        self.source = ListField(
            self.tr("&Source"),
            (
                Choice((Source.SOLAR, Obligation.DAYLIGHT), self.tr("solar, obliged by daylight only")),
                Choice((Source.SOLAR, Obligation.ALWAYS), self.tr("solar, also by night (hybrid inverter)")),
                Choice((Source.GENERATOR, Obligation.ALWAYS), self.tr("generator")),
            ),
        )
        for name, field in (
            ("source", self.source), ("min_w", self.min_kw), ("max_w", self.max_kw), ("price", self.price),
        ):  # fmt: skip
            self._add(name, field)
        self.source.changed.connect(self._say_price_limit)
        self._start_from(call.last)
        self._say_price_limit()
        self._say_consequence()

    def wish(self) -> Wish | None:
        least, most, rate = self.min_kw.value(), self.max_kw.value(), self.price.value()
        if least is None or most is None or rate is None:
            return None
        source, obligation = self.source.value()
        return Wish(
            role=Role.PRODUCER,
            max_w=watts(most),
            min_w=watts(least),
            price=microcoins(rate),
            source=source,
            obligation=obligation,
        )

    def _start_from(self, last: Contract | None) -> None:
        if last is None or last.role is not Role.PRODUCER or last.source is None:
            return
        self.min_kw.set_value(last.min_w / 1000)
        self.max_kw.set_value(last.max_w / 1000)
        self.price.set_value(last.price / MICROCOINS_PER_COIN)
        generator = last.source is Source.GENERATOR
        self.source.set_value((last.source, Obligation.ALWAYS if generator else last.obligation))

    def _say_price_limit(self) -> None:
        solar = self.source.value()[0] is Source.SOLAR
        if solar:
            limit = self.tr("at most {0}, the national tariff").format(price(self._call.tariff).number)
        else:
            limit = self.tr("at most {0}").format(number(MAX_PRICE / MICROCOINS_PER_COIN, 0))
        self.price.set_limit(limit)


class SummaryDialog(FormDialog):
    """What will be agreed, once more, before it is final for the month."""

    def __init__(self, call: ContractCall, wish: Wish, household: Household, parent: QWidget) -> None:
        month = month_name(call.month)
        title = self.tr("Your contract for {0}").format(month)
        super().__init__(title, self.tr("&Agree"), kiosk=True, parent=parent)
        self._wish, self._call, self._household = wish, call, household
        self.cancel_button.setText(self.tr("&Back"))
        terms = wish.contract("", range(call.first_minute, call.end_minute))
        said = self.add_text(capital(contract_words(terms)))
        said.setFont(ui_font(int(KIOSK_SIZE), bold=True))
        self.add_text(consequence_words(wish, call.tariff))
        self.add_text(
            self.tr("Role and numbers are final for {0} once you agree and the central accepts them.").format(
                month
            )
        )

    def order(self) -> "Future[None]":
        return self._household.answer(self._wish, self._call)
