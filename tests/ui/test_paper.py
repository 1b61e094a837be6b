"""The bill as a document, and documents on paper."""

import re
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QPushButton, QWidget

from microgrid.bill import BillKind, Cause, Verdict
from microgrid.terms import Contract, Obligation, Role, Source
from microgrid.units import WS_PER_KWH, microcoins
from node.qt import paper
from node.qt.bill_text import (
    adjustment_words,
    bill_document,
    bill_title,
    cause_words,
    contract_words,
    due_words,
    verdict_words,
)
from node.qt.paper import document_of, pdf_bytes, print_with_dialog, write_pdf
from tests.ui.sample_books import (
    EARLIER,
    LARGE,
    LONG_NAME,
    account_of,
    make_adjustment,
    make_bill,
    make_check,
    make_table,
    minutes_of,
)
from tests.ui.sample_books import make_day as day_of


def account(index=0, adjustments=0, **changes):
    day = day_of(make_table(index, minutes_of(EARLIER)))
    made = account_of(Role.PRODUCER if index % 2 else Role.CONSUMER, [day], adjustments)
    return msgspec.structs.replace(made, **changes)


def lines_of(html):
    """What a reader sees: a line for each paragraph, and one for each row of a table."""
    document = document_of(html)
    text = document.toPlainText().replace("\N{NO-BREAK SPACE}", " ")
    return [line.strip() for line in text.split("\n") if line.strip()]


def figure(lines, label):
    """The figure that stands beside a label, and its unit."""
    at = lines.index(label)
    return " ".join(lines[at + 1 : at + 3])


def test_a_consumers_bill_has_the_figures_of_the_source():
    bill = make_bill(0, EARLIER, account(max_power_kw=2.41, min_power_kw=0.07))
    lines = lines_of(bill_document(bill))
    assert lines[1] == "Bill for November 2024, house A"
    assert figure(lines, "House") == "A, 1 Garden Lane Period"
    assert "1 Nov 2024, 00:00 PKT to 1 Dec 2024, 00:00 PKT" in lines
    assert "Asia/Karachi" in lines
    assert figure(lines, "Largest power taken") == "2.41 kW"
    assert figure(lines, "Smallest power taken") == "0.07 kW"
    assert figure(lines, "Energy from the micro-grid") == "629.99 kWh"
    assert figure(lines, "Energy from the national grid") == "18.01 kWh"
    assert figure(lines, "Amount, micro-grid") == "7,919.48 coins to pay"
    assert figure(lines, "Amount, national grid") == "316.98 coins to pay"
    assert figure(lines, "Total") == "8,236.45 coins to pay"
    assert "To pay: 8,236.45 coins" in lines
    assert "House A pays the central." in lines


def test_a_producers_national_part_holds_its_penalties():
    plain = account(1, national_grid_energy=-WS_PER_KWH, national_grid_amount=-microcoins(17.6))
    bill = make_bill(1, EARLIER, plain)
    owed = plain.penalty_energy / WS_PER_KWH
    lines = lines_of(bill_document(bill))
    assert figure(lines, "Energy from the national grid and of penalties") == f"{1 + owed:.2f} kWh"
    assert figure(lines, "Amount, national grid and penalties") == f"{17.6 * (1 + owed):.2f} coins to pay"
    assert figure(lines, "Energy delivered to the micro-grid") == "988.00 kWh"
    at = lines.index("Asked to raise and not delivered")
    assert lines[at + 1 : at + 4] == ["0.06 kWh", "0.98", "coins to pay"]
    assert "Below the minimum of the contract" in lines
    assert "The central pays house B." in lines


def test_a_surplus_that_was_fed_in_is_not_set_off_against_what_was_owed():
    bill = make_bill(1, EARLIER, account(1, national_grid_energy=10 * WS_PER_KWH))
    lines = lines_of(bill_document(bill))
    assert figure(lines, "Surplus to the national grid") == "10.00 kWh"
    assert figure(lines, "Energy of penalties") == "0.17 kWh"


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (LARGE, "To receive: 123,456,789.01 coins"),
        (-LARGE, "To pay: 123,456,789.01 coins"),
        (0, "Nothing to pay"),
    ],
)
def test_the_sign_of_the_total_decides_who_pays_whatever_the_role(total, said):
    for index in (0, 1):
        lines = lines_of(bill_document(make_bill(index, EARLIER, account(index, total=total))))
        assert said in lines
    assert due_words(0) == ""


def test_adjustments_of_earlier_months_are_in_the_total_and_later_ones_stand_apart():
    earlier = make_adjustment("A", microcoins(3.2), own=True, month="2024-10")
    later = make_adjustment("A", -microcoins(2.5), own=False)
    bill = make_bill(0, EARLIER, account(adjustments=earlier.total), adjustments=(earlier,))
    lines = lines_of(bill_document(bill, None, [later]))
    assert figure(lines, "Adjustments of earlier months") == "3.20 coins to receive"
    assert figure(lines, "Total") == "8,233.25 coins to pay"
    reason = "The reading of 12 December, 14:05, was corrected: the meter's display was read wrongly."
    assert figure(lines, f"October 2024. Corrected reading: {reason}") == "3.20 coins to receive"
    assert "Adjusted since this bill was issued; paid with a later statement" in lines
    words = "4 Jan 2025, 00:15 PKT. Corrected reading of another account changed this one's share"
    assert figure(lines, words) == "2.50 coins to pay"


def test_an_adjustment_never_tells_of_another_house():
    for cause in Cause:
        other = msgspec.structs.replace(make_adjustment("A", 1, own=False), causes=(cause,))
        assert adjustment_words(other).lower().startswith(cause_words(cause))
        own = msgspec.structs.replace(other, own=True, reason="")
        assert adjustment_words(own) == cause_words(cause).capitalize()


def test_what_was_estimated_is_told():
    assert "Nothing was estimated." in lines_of(bill_document(make_bill(0, EARLIER, account())))
    guessed = account(estimated_minutes=12, estimated_energy=-WS_PER_KWH // 2)
    text = " ".join(lines_of(bill_document(make_bill(0, EARLIER, guessed))))
    assert "12 minutes with 0.50 kWh were estimated" in text


@pytest.mark.parametrize(
    ("verdict", "said", "word"),
    [
        (Verdict.AGREES, "it agrees", "agrees"),
        (Verdict.DIFFERS, f"billed {chr(0x2212)}648.00 kWh net, its own registers say", "differs"),
        (Verdict.UNCHECKED, "could not check", "unchecked"),
    ],
)
def test_the_houses_own_finding_is_told(verdict, said, word):
    bill = make_bill(0, EARLIER, account())
    check = make_check(bill, verdict)
    assert said in " ".join(lines_of(bill_document(bill, check)))
    assert verdict_words(check) == word


def test_a_finding_between_two_bounds_and_one_of_wrong_sums():
    bill = make_bill(0, EARLIER, account())
    check = msgspec.structs.replace(make_check(bill, Verdict.DIFFERS), own_least=0, own_most=WS_PER_KWH)
    assert "say 0.00 kWh to +1.00 kWh" in " ".join(lines_of(bill_document(bill, check)))
    wrong = msgspec.structs.replace(check, sums_right=False)
    assert "do not add up" in " ".join(lines_of(bill_document(bill, wrong)))
    assert verdict_words(None) == "not told"


def test_a_final_bill_says_so_and_names_are_no_markup():
    bill = make_bill(0, EARLIER, account(), kind=BillKind.FINAL, name='<b>"Ali & Co"</b>')
    lines = lines_of(bill_document(bill))
    assert bill_title(bill) == lines[1] == "Final bill for November 2024, house A"
    assert 'A, <b>"Ali & Co"</b>' in lines
    assert "the house left the micro-grid" in lines


def test_a_contract_in_one_line():
    seller = Contract(
        house="B", role=Role.PRODUCER, valid_from=0, valid_to=1, max_w=2500, min_w=250,
        price=microcoins(8), source=Source.SOLAR, obligation=Obligation.DAYLIGHT,
    )  # fmt: skip
    said = contract_words(seller).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "producer (solar), 0.25 kW to 2.50 kW at 8.00 coins/kWh, obliged by daylight"
    assert contract_words(None) == "none"


def test_figures_follow_the_locale():
    QLocale.setDefault(QLocale("de_DE"))
    lines = lines_of(bill_document(make_bill(0, EARLIER, account())))
    assert "To pay: 8.236,45 coins" in lines


def test_a_pdf_has_its_pages_its_title_and_its_fonts(qapp):
    pages = "".join(f"<p>Line {number}</p>" for number in range(200))
    contents = pdf_bytes(pages, "Bill for December 2024")
    assert contents.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", contents)) > 2
    assert b"/FontFile" in contents
    assert "Bill for December 2024".encode("utf-16-be") in contents or b"Bill for December 2024" in contents
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", contents)}
    assert {(round(box[2]), round(box[3])) for box in boxes} == {(595, 842)}  # A4 in points


def test_a_pdf_that_cannot_be_written_leaves_the_one_before(qapp, tmp_path):
    path = tmp_path / "bill.pdf"
    write_pdf("<p>First</p>", path, "Bill")
    before = path.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["bill.pdf"]
    with pytest.raises(OSError, match="missing"):
        write_pdf("<p>Second</p>", tmp_path / "missing" / "bill.pdf", "Bill")
    (tmp_path / "bill.pdf.part").mkdir()
    with pytest.raises(OSError, match=r"bill\.pdf\.part"):
        write_pdf("<p>Second</p>", path, "Bill")
    assert path.read_bytes() == before


def test_a_bill_with_a_long_name_and_a_large_amount_stays_inside_its_page(qapp):
    bill = make_bill(0, EARLIER, account(total=-LARGE, microgrid_amount=-LARGE), name=LONG_NAME)
    document = document_of(bill_document(bill))
    document.setTextWidth(480)  # a little less than A4 between its margins, in points
    assert document.idealWidth() <= 480
    assert LONG_NAME in document.toPlainText()


@pytest.fixture
def print_dialog(qtbot, monkeypatch):
    """A print dialog over a window, whose printer writes a PDF file."""
    paths: list[Path] = []

    def printer(mode):
        made = QPrinter(mode)
        made.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        made.setOutputFileName(str(paths[-1]))
        return made

    monkeypatch.setattr(printer, "PrinterMode", QPrinter.PrinterMode, raising=False)
    monkeypatch.setattr(paper, "QPrinter", printer)
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    faults: list[str] = []

    def opened(path):
        paths.append(path)
        return print_with_dialog(window, "<p>Hello</p>", "Bill", faults.append), faults

    return opened


def test_printing_goes_to_the_chosen_printer(qtbot, tmp_path, print_dialog):
    dialog, faults = print_dialog(tmp_path / "paper.pdf")
    assert dialog.windowTitle() == "Bill"
    dialog.accept()
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-")
    assert faults == []


def test_a_cancelled_print_prints_nothing(qtbot, tmp_path, print_dialog):
    dialog, faults = print_dialog(tmp_path / "paper.pdf")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert list(tmp_path.iterdir()) == []
    assert faults == []


def test_a_printer_that_fails_is_told_of_in_words(qtbot, tmp_path, print_dialog):
    dialog, faults = print_dialog(tmp_path / "missing" / "paper.pdf")
    dialog.accept()
    assert faults == ["The printer does not take the document."]
    assert dialog.findChildren(QPushButton)
