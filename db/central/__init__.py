"""The central's database: agreements, bills, directives, minutes, sealed days."""

from db.central.agreements import AgreementRepository
from db.central.billing import BillingRepository
from db.central.directives import DirectiveRepository
from db.central.minutes import Correction, MinuteStore
from db.central.runs import Run
from db.central.tables import CENTRAL

__all__ = [
    "CENTRAL",
    "AgreementRepository",
    "BillingRepository",
    "Correction",
    "DirectiveRepository",
    "MinuteStore",
    "Run",
]
