"""Python's tracebacks in Ray's log files, each joined into one record by Fluent Bit.

Fluent Bit's own parser `python` knows neither the `^^^^` of Python 3.11 nor Ray's
RayTaskError. How rules follow each other is read from src/multiline/flb_ml_rule.c of
Fluent Bit 5.1.1, what Ray writes from its _private/worker.py and exceptions.py, 2.60.0.
"""

from __future__ import annotations

from typing import Any

NAME = "ray_traceback"

# What a driver's log has before each line of a worker's, with Ray's colours.
_COLOUR = r"(?:\x1b\[[0-9;]*m)?"
_WORKER = rf"(?:{_COLOUR}\((?:.* )?pid=[0-9]+(?:, ip=[^)]+)?\){_COLOUR} )?"

_INDENTED = rf"^{_WORKER}[ \t]"
_BLANK = rf"^{_WORKER}$"
# A group's frames are indented to their end, and so is its message.
_GROUP = rf"^{_WORKER}  \+ Exception Group Traceback \(most recent call last\):$"
# The second instead of the first is where a traceback is that of a task.
_BEGIN = r"(?:Traceback \(most recent call last\):|ray::.+ \(pid=[0-9]+, ip=.+\))$"
_CHAINED = (
    rf"^{_WORKER}(?:During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:)$"
)

_RULES = (
    ("start_state", _GROUP, "message"),
    ("start_state", _BEGIN, "frames"),
    # Any other line is a record, and the state is none: Fluent Bit would keep that of
    # the last traceback, and join indented lines that are none of it.
    ("start_state", "^", "start_state"),
    ("frames", _INDENTED, "frames"),
    ("frames", _BEGIN, "frames"),
    # The exception itself. What follows of a message of several lines is joined where
    # it is indented: it looks like any other line where it is not.
    ("frames", "^", "message"),
    ("message", _INDENTED, "message"),
    ("message", _BLANK, "blank"),
    ("blank", _CHAINED, "chained"),
    ("chained", _BLANK, "chained"),
    ("chained", _BEGIN, "frames"),
)


def parser() -> dict[str, Any]:
    """Return the parser as an entry of `multiline_parsers`."""
    rules = [
        {"state": state, "regex": regex, "next_state": next_state}
        for state, regex, next_state in _RULES
    ]
    # All that is being joined is cut whenever this time is over, however new it is.
    return {"name": NAME, "type": "regex", "flush_timeout": 4000, "rules": rules}
