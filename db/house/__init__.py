"""The house's database: its journal of minutes."""

from db.house.journal import MinuteJournal
from db.house.tables import HOUSE

__all__ = ["HOUSE", "MinuteJournal"]
