"""*Create Contract* at the kiosk, from the call to the central's word, by keyboard alone (5.3-5.5)."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton

from house_client.household import Refused
from house_client.ui.contract_dialogs import ConsumerDialog, ProducerDialog, RoleDialog, SummaryDialog
from house_client.ui.main_window import CONTRACT, HOME, HouseWindow
from microgrid.contracting import Wish, wish_of
from microgrid.terms import Obligation, Role, Source
from microgrid.units import microcoins
from node.qt.theme import DARK, LIGHT
from tests.ui.fake_household import FakeHousehold
from tests.ui.images import picture, place_in, saturation
from tests.ui.sample_house import (
    JANUARY,
    NOW_S,
    agreed,
    buyer_contract,
    make_buyer,
    make_call,
    make_seller,
    seller_contract,
)

ALT = Qt.KeyboardModifier.AltModifier
ENTER, ESC, TAB, SPACE = Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Space
SELLER = replace(make_seller(), call=make_call(seller_contract()))
BUYER = replace(make_buyer(), call=make_call(buyer_contract()))
SIZES = [(1024, 600), (800, 480)]


class Kiosk:
    """A kiosk used with a keyboard and nothing else."""

    def __init__(self, qtbot, settings, snapshot, size=SIZES[1]):
        self.qtbot, self.snapshot = qtbot, snapshot
        self.household = FakeHousehold()
        self.window = HouseWindow(settings, self.household)
        qtbot.addWidget(self.window)
        self.window.resize(*size)
        self.window.show()
        self.activate(self.window)
        self.hear(snapshot)

    def activate(self, widget):
        widget.activateWindow()
        self.qtbot.waitUntil(widget.isActiveWindow)

    def hear(self, snapshot):
        self.snapshot = snapshot
        self.window.show_snapshot(snapshot)

    @property
    def dialog(self):
        return self.window.creation.dialog

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        self.qtbot.keyClick(QApplication.focusWidget(), key, modifier)

    def expect(self, kind):
        """The dialog that is open now, active as a window manager makes it."""
        self.qtbot.waitUntil(lambda: isinstance(self.dialog, kind) and self.dialog.isVisible())
        self.activate(self.dialog)
        return self.dialog

    def begin(self):
        """Tab to the call on the home page and press it."""
        for _ in range(20):
            if QApplication.focusWidget() is self.window.home.call:
                break
            self.key(TAB)
        self.key(SPACE)
        return self.expect(RoleDialog)

    def choose(self, letter, kind):
        self.key(letter, ALT)
        return self.expect(kind)

    def type_in(self, letter, text):
        """Alt and the field's letter, then the number in place of what stands there."""
        self.key(letter, ALT)
        self.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.qtbot.keyClicks(QApplication.focusWidget(), text)

    def send(self):
        """Enter in the parameters, Enter in the summary."""
        self.key(ENTER)
        self.expect(SummaryDialog)
        self.key(ENTER)
        self.qtbot.waitUntil(lambda: self.dialog is None)


@pytest.fixture
def kiosk(qtbot, settings):
    return lambda snapshot, **kw: Kiosk(qtbot, settings, snapshot, **kw)


# --- both roles to the end --------------------------------------------------------------------------


def test_a_producers_contract(kiosk):
    at = kiosk(SELLER)
    role = at.begin()
    assert role.windowTitle() == "Contract for January 2025"
    assert role.producer.hasFocus()  # last month's role
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    assert dialog.windowTitle() == "Producer in January 2025"
    assert dialog.wish() == wish_of(seller_contract())  # last month's numbers to begin with
    at.type_in(Qt.Key.Key_I, "0.4")
    at.type_in(Qt.Key.Key_M, "3")
    at.type_in(Qt.Key.Key_P, "9.25")
    at.key(Qt.Key.Key_S, ALT)
    at.key(Qt.Key.Key_Down)
    at.send()
    wish = Wish(
        role=Role.PRODUCER, max_w=3000, min_w=400, price=microcoins(9.25),
        source=Source.SOLAR, obligation=Obligation.ALWAYS,
    )  # fmt: skip
    assert at.household.answers == [wish]


def test_a_consumers_contract(kiosk):
    at = kiosk(BUYER)
    assert at.begin().consumer.hasFocus()
    at.key(ENTER)
    dialog = at.expect(ConsumerDialog)
    assert dialog.windowTitle() == "Consumer in January 2025"
    assert "most used last month: 1.73\N{NO-BREAK SPACE}kW" in dialog.max_kw.limit_text
    assert "up to 5.00\N{NO-BREAK SPACE}kW" in dialog.max_kw.limit_text
    at.type_in(Qt.Key.Key_M, "2.5")
    at.send()
    assert at.household.answers == [Wish(role=Role.CONSUMER, max_w=2500)]


def test_a_first_contract_begins_with_empty_fields(kiosk):
    at = kiosk(replace(BUYER, call=make_call()))
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    assert dialog.wish() is None
    assert dialog.consequence.startswith("Enter the numbers")
    at.key(ENTER)
    assert dialog.min_kw.fault == "Enter a number, such as 2.50."
    assert QApplication.focusWidget() is dialog.min_kw.focusProxy()


def test_the_contract_page_begins_it_as_well(kiosk):
    at = kiosk(SELLER)
    at.key(Qt.Key.Key_C, ALT)
    at.qtbot.waitUntil(lambda: at.window.pages.index == CONTRACT)
    at.window.contract.call.setFocus()
    at.key(SPACE)
    at.expect(RoleDialog)


# --- what is said -----------------------------------------------------------------------------------


def test_the_role_dialog_says_what_each_role_obliges_to_and_may_cost(kiosk):
    role = kiosk(SELLER).begin()
    assert "owe your minimum" in role.producer.accessibleName()
    assert "owe nothing" in role.consumer.accessibleName()
    for button in (role.producer, role.consumer):
        assert "17.60 coins" in button.accessibleName()


def test_the_consequence_follows_what_is_typed(kiosk):
    at = kiosk(SELLER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    assert "0.25\N{NO-BREAK SPACE}kW by daylight" in dialog.consequence
    assert "an hour of giving nothing costs 4.40 coins" in dialog.consequence
    assert "up to 44.00 coins" in dialog.consequence
    at.type_in(Qt.Key.Key_I, "0.5")
    assert "an hour of giving nothing costs 8.80 coins" in dialog.consequence
    at.key(Qt.Key.Key_S, ALT)
    at.key(Qt.Key.Key_End)
    assert "at any time" in dialog.consequence
    assert dialog.price.limit_text == "at most 500"  # a generator's price has no tariff above it
    at.type_in(Qt.Key.Key_I, "half")
    assert dialog.consequence.startswith("Enter the numbers")


def test_overdeclaring_is_said_to_be_free(kiosk):
    at = kiosk(BUYER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_O, ConsumerDialog)
    assert "asking for more than you need is free" in dialog.consequence
    assert "17.60 coins" in dialog.consequence


def test_the_summary_says_that_it_is_final(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.key(ENTER)
    summary = at.expect(SummaryDialog)
    said = " ".join(label.text() for label in summary.findChildren(QLabel))
    assert "Producer (solar), 0.25\N{NO-BREAK SPACE}kW to 2.50\N{NO-BREAK SPACE}kW at 8.00" in said
    assert "final for January 2025" in said


# --- wrong entries, at the field --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "text", "field", "words"),
    [
        (Qt.Key.Key_I, "2.6", "min_kw", "above the maximum"),
        (Qt.Key.Key_I, "-1", "min_kw", "negative"),
        (Qt.Key.Key_I, "much", "min_kw", "Enter a number"),
        (Qt.Key.Key_M, "5.01", "max_kw", "at most the connection's 5 kW"),
        (Qt.Key.Key_M, "0", "max_kw", "above 0"),
        (Qt.Key.Key_P, "17.61", "price", "above the national tariff of 17.6"),
        (Qt.Key.Key_P, "501", "price", "between 0 and 500"),
        (Qt.Key.Key_P, "8.001", "price", "at most 2 decimals"),
        (Qt.Key.Key_P, "", "price", "Enter a number"),
    ],
)
def test_a_producers_wrong_entry_is_explained_at_its_field(kiosk, letter, text, field, words):
    at = kiosk(SELLER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(letter, text or "1")
    if not text:
        at.key(Qt.Key.Key_Backspace)
    at.key(ENTER)
    assert at.dialog is dialog
    assert dialog.isVisible()
    assert words in getattr(dialog, field).fault
    assert at.household.answers == []


@pytest.mark.parametrize(("text", "words"), [("5.5", "at most the connection's 5 kW"), ("0", "above 0")])
def test_a_consumers_wrong_entry_is_explained_at_its_field(kiosk, text, words):
    at = kiosk(BUYER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_O, ConsumerDialog)
    at.type_in(Qt.Key.Key_M, text)
    at.key(ENTER)
    assert words in dialog.max_kw.fault
    assert QApplication.focusWidget() is dialog.max_kw.focusProxy()
    at.type_in(Qt.Key.Key_M, "2")
    assert dialog.max_kw.fault == ""
    at.send()
    assert at.household.answers == [Wish(role=Role.CONSUMER, max_w=2000)]


def test_a_generators_price_may_exceed_the_tariff(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.key(Qt.Key.Key_S, ALT)
    at.key(Qt.Key.Key_End)
    at.type_in(Qt.Key.Key_P, "25")
    at.send()
    assert at.household.answers[0].source is Source.GENERATOR
    assert at.household.answers[0].price == microcoins(25)


# --- going back loses nothing -----------------------------------------------------------------------


def test_esc_goes_back_step_by_step_and_loses_nothing(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_I, "0.4x")
    at.key(ESC)
    at.expect(RoleDialog)
    at.key(ESC)
    at.qtbot.waitUntil(lambda: not at.dialog.isVisible())
    at.activate(at.window)
    at.window.pages.choose(HOME)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    assert dialog.min_kw.focusProxy().text() == "0.4x"
    at.type_in(Qt.Key.Key_I, "0.4")
    at.key(ENTER)
    at.expect(SummaryDialog)
    at.key(ESC)
    assert at.expect(ProducerDialog).wish().min_w == 400
    assert at.household.answers == []


def test_when_nobody_is_there_the_dialog_is_put_away_and_keeps_what_was_typed(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_M, "2.75")
    at.window.idle.idle.emit()
    assert at.dialog is None
    assert at.window.pages.index == HOME
    at.activate(at.window)
    at.begin()
    assert at.choose(Qt.Key.Key_P, ProducerDialog).wish().max_w == 2750


def test_a_finger_changes_numbers_in_steps(kiosk):
    at = kiosk(SELLER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    at.qtbot.mouseClick(dialog.max_kw.more, Qt.MouseButton.LeftButton)
    at.qtbot.mouseClick(dialog.price.less, Qt.MouseButton.LeftButton)
    assert (dialog.max_kw.value(), dialog.price.value()) == (2.55, 7.5)
    for _ in range(9):
        at.qtbot.mouseClick(dialog.min_kw.less, Qt.MouseButton.LeftButton)
    assert dialog.min_kw.value() == 0.0


# --- sent, and the central's word -------------------------------------------------------------------


def answered(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_P, "17.5")
    at.send()
    at.activate(at.window)
    return at


def refused(at, refusal):
    """The house has handed the answer over and the central has said this of it."""
    at.hear(replace(at.snapshot, answer_waiting=True, now_s=NOW_S + 1))
    call = changed(at.snapshot.call, refusal=refusal, tariff=microcoins(17))
    at.hear(replace(at.snapshot, answer_waiting=False, call=call, now_s=NOW_S + 2))


def test_a_house_that_cannot_keep_the_answer_says_so_in_the_summary(kiosk):
    at = kiosk(SELLER)
    at.household.fault = Refused("The disk is full; ask the installer.")
    at.begin()
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.key(ENTER)
    summary = at.expect(SummaryDialog)
    at.key(ENTER)
    at.qtbot.waitUntil(lambda: summary.fault != "")
    assert summary.fault == "The disk is full; ask the installer."
    at.household.fault = None
    at.key(ENTER)
    at.qtbot.waitUntil(lambda: at.dialog is None)
    assert len(at.household.answers) == 1


def test_the_wait_for_the_centrals_word_is_shown_until_it_comes(kiosk):
    at = answered(kiosk)
    for waiting, second in ((False, 1), (True, 2), (False, 3)):  # not handed over yet, on its way, there
        at.hear(replace(at.snapshot, answer_waiting=waiting, now_s=NOW_S + second))
        assert at.window.contract.call.lines == (
            "Contract for January 2025 sent",
            "Waiting for the central's word",
        )
    at.hear(replace(at.snapshot, now_s=NOW_S + 20))
    assert at.window.contract.call.lines[0] == "Create contract for January 2025"


def test_what_the_central_refuses_comes_back_with_its_words_at_the_field(kiosk):
    at = answered(kiosk)
    words = "The solar price of 17.5 coins/kWh is above the national tariff of 17."
    refused(at, {"price": words})
    dialog = at.expect(ProducerDialog)
    assert dialog.price.fault == words
    assert dialog.price.value() == 17.5
    assert QApplication.focusWidget() is dialog.price.focusProxy()
    at.type_in(Qt.Key.Key_P, "16")
    at.send()
    assert at.household.answers[-1].price == microcoins(16)


def test_a_refusal_of_the_answer_itself_is_said_in_the_dialog(kiosk):
    at = answered(kiosk)
    refused(at, {"": "House B is no longer part of the micro-grid in 2025-01."})
    dialog = at.expect(ProducerDialog)
    assert dialog.fault == "House B is no longer part of the micro-grid in 2025-01."


def test_a_refusal_waits_on_the_home_page_when_nobody_is_there(kiosk):
    at = answered(kiosk)
    at.window.idle.idle.emit()
    words = "The solar price of 17.5 coins/kWh is above the national tariff of 17."
    refused(at, {"price": words})
    assert at.dialog is None
    assert at.window.home.call.lines == ("Contract for January 2025 refused: change it", words)
    assert at.window.home.call.emphasised
    at.window.home.call.setFocus()
    at.key(SPACE)
    assert at.expect(ProducerDialog).price.fault == words


def test_agreed_and_permitted_are_shown(kiosk):
    at = answered(kiosk)
    contract = seller_contract(JANUARY)
    at.hear(replace(at.snapshot, call=agreed(at.snapshot.call, contract, permitted=False)))
    assert at.window.contract.call.lines == (
        "Contract for January 2025 agreed",
        "Exchange is permitted when every house has its contract",
    )
    assert at.window.contract.agreed.text().startswith("Producer (solar), 0.25")
    at.hear(replace(at.snapshot, call=agreed(at.snapshot.call, contract)))
    assert at.window.contract.call.lines[1] == "Exchange permitted from 1 Jan 2025, 00:00 PKT"
    at.window.pages.choose(HOME)
    at.window.home.call.click()
    assert at.dialog is None  # it is final


def test_a_month_that_is_agreed_meanwhile_closes_the_dialog(kiosk):
    at = kiosk(SELLER)
    at.begin()
    at.hear(replace(at.snapshot, call=agreed(at.snapshot.call, None)))
    assert at.dialog is None
    assert at.window.contract.call.lines == (
        "No contract for January 2025",
        "no answer in time: no contract",
    )


def test_a_call_that_has_closed_asks_for_nothing(kiosk):
    at = kiosk(replace(SELLER, now_s=float(JANUARY.start * 60)))
    assert at.window.home.call.lines[0] == "Contract for January 2025 not answered"
    at.window.home.call.click()
    assert at.dialog is None


# --- to look at -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_dialogs_stay_on_the_screen_with_targets_for_fingers(kiosk, size):
    at = kiosk(SELLER, size=size)
    shown = [at.begin()]
    shown.append(at.choose(Qt.Key.Key_P, ProducerDialog))
    at.type_in(Qt.Key.Key_I, "9")
    at.type_in(Qt.Key.Key_P, "25")
    at.key(ENTER)
    shown.append(at.dialog)
    for dialog in shown:
        assert dialog.width() <= size[0]
        assert dialog.height() <= size[1]
        for button in dialog.findChildren(QPushButton):
            assert min(button.size().toTuple()) >= 48, button.text()
        inside = [b for b in dialog.findChildren(QPushButton) if b.parentWidget() is dialog]
        assert all(dialog.rect().contains(place_in(button, dialog)) for button in inside)


def test_the_list_of_sources_opens_for_fingers_as_well(kiosk):
    at = kiosk(SELLER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    at.key(Qt.Key.Key_S, ALT)
    at.key(SPACE)
    box = dialog.findChild(QComboBox)
    at.qtbot.waitUntil(box.view().isVisible)
    assert all(box.view().visualRect(box.model().index(row, 0)).height() >= 48 for row in range(3))
    at.key(ESC)
    assert dialog.isVisible()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_dialogs_have_no_colour(kiosk, theme):
    at = kiosk(SELLER)
    at.window.set_theme(theme)
    assert saturation(picture(at.begin())).max() < 0.05
    at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_I, "9")
    at.key(ENTER)
    assert saturation(picture(at.dialog)).max() < 0.05


def test_what_is_typed_for_one_month_is_never_sent_for_another(kiosk):
    at = kiosk(SELLER)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_M, "3")
    assert SELLER.call is not None
    february = changed(SELLER.call, month="2025-02", first_minute=JANUARY.stop)
    at.hear(replace(SELLER, call=february))  # the month began, and the next one is asked for already
    assert (at.dialog, dialog.isVisible()) == (None, False)
    at.activate(at.window)
    at.window.contract.call.setFocus()
    at.key(SPACE)
    assert at.expect(RoleDialog).windowTitle() == "Contract for February 2025"
    assert at.choose(Qt.Key.Key_P, ProducerDialog).max_kw.value() == 2.5


@pytest.mark.parametrize("size", SIZES)
def test_every_fault_is_in_view_at_once(kiosk, size):
    at = kiosk(SELLER, size=size)
    at.begin()
    dialog = at.choose(Qt.Key.Key_P, ProducerDialog)
    at.type_in(Qt.Key.Key_I, "9")
    at.type_in(Qt.Key.Key_P, "25")
    at.key(ENTER)
    QApplication.processEvents()
    picture(dialog)
    assert dialog.min_kw.fault
    assert dialog.price.fault
    assert not dialog._scroll.verticalScrollBar().isVisible()
    at.key(Qt.Key.Key_Escape)
    at.expect(RoleDialog)
    at.choose(Qt.Key.Key_P, ProducerDialog)
    assert dialog._consequence.isVisible()
