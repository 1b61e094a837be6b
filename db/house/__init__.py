"""The house's database: its journal of minutes and its papers."""

from db.house.journal import MinuteJournal
from db.house.papers import HousePapers, PaperKind
from db.house.tables import HOUSE

__all__ = ["HOUSE", "HousePapers", "MinuteJournal", "PaperKind"]
