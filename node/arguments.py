"""What the programs share at their command lines: forms of arguments, and faults in words."""

import argparse

from node.stepped import host_and_port


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, as a type for argparse."""
    try:
        return host_and_port(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def positive(text: str) -> int:
    """A whole number above 0, as a type for argparse."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def in_words(fault: Exception) -> str:
    """The sentence for a person; the operating system's own faults are put into one."""
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"{fault.filename} cannot be used ({fault.strerror}); choose another, or put this one right."
    return str(fault)
