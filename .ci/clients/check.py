"""What the Python clients share: the expected counts, and comparing with them."""

import json
import os
import sys

BASE = os.environ["CAREWEAVE_BASE"]
with open(os.environ["CAREWEAVE_EXPECTED"]) as file:
    EXPECTED = json.load(file)

_compared = 0
_wrong = 0


def same(what, found, expected):
    """Compares what a client got with what it must get."""
    global _compared, _wrong
    _compared += 1
    if found != expected:
        _wrong += 1
        print(f"  {what}: expected {expected!r}, found {found!r}")


def refused(what, kind, call):
    """Makes sure that a call raises this error."""
    try:
        call()
    except kind:
        same(what, "refused", "refused")
    else:
        same(what, "taken", "refused")


def everything_of(n):
    """How many resources `$everything` gives of a person."""
    return sum(EXPECTED["of_person"][n].values())


def member(n):
    """The identifier token of a person."""
    return f"{EXPECTED['member']}|M-{4700 + n}"


def done(name):
    """Says how it went; the exit status is 0 if all was as expected."""
    print(f"{name}: {_compared - _wrong} passed, {_wrong} failed")
    sys.exit(1 if _wrong or not _compared else 0)
