"""What every order of the operator must bring: a name, and why."""

from central_monitor.operator import OrderRefused


def named(author: str) -> None:
    """Refuse an order without the operator's name."""
    said(author, "your name as the operator at the desk (Settings)")


def said(text: str, what: str) -> None:
    """Refuse an order without this text; `what` says what to enter."""
    if not text.strip():
        raise OrderRefused(f"Enter {what}.")
