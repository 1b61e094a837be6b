"""The central's database: terms, minutes, sealed days."""

from db.central.columns import EdgeRows, MinuteColumns, OrderColumns
from db.central.minutes import MinuteStore
from db.central.tables import CENTRAL
from db.central.terms import TermsRepository

__all__ = ["CENTRAL", "EdgeRows", "MinuteColumns", "MinuteStore", "OrderColumns", "TermsRepository"]
