"""The central's database: terms, minutes, sealed days."""

from db.central.minutes import MinuteStore
from db.central.tables import CENTRAL
from db.central.terms import TermsRepository

__all__ = ["CENTRAL", "MinuteStore", "TermsRepository"]
