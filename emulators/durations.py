"""How far to move the clock, as people write it: `1d`, `2h`, `1d12h`, `30m`, `45s`."""

import re
from datetime import timedelta
from typing import Final

from emulators.processes import CloudFault

_WHOLE: Final = re.compile(r"(?:\d+[wdhms])+")
_PART: Final = re.compile(r"(\d+)([wdhms])")
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(text: str) -> timedelta:
    """The sum of its parts.

    Raises:
        CloudFault: it is not written like that.
    """
    if not _WHOLE.fullmatch(text):
        message = f"{text} is no duration: write 1d, 2h, 30m or 1d12h"
        raise CloudFault(message)
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)), timedelta())
