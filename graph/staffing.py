"""How many people an hour's arrivals need: Erlang C, the queue of one field with people who take one case at a time.

A. K. Erlang 1917, in the recursion for the loss formula; an arrival waits with probability C, and longer than t with
C · exp(-(n - a) · t / handling time), where a is the offered load.
"""

from __future__ import annotations

import math

TARGET_SHARE = 0.8
TARGET_SECONDS = 60.0
"""Eight in ten are to be answered within a minute."""
_MOST = 5000


def load(arrivals: float, handling_seconds: float) -> float:
    """The people that `arrivals` an hour keep busy all the time."""
    return arrivals * handling_seconds / 3600.0


def needed_agents(
    arrivals: float,
    handling_seconds: float,
    *,
    share: float = TARGET_SHARE,
    seconds: float = TARGET_SECONDS,
) -> int:
    """The fewest people with whom `share` of the arrivals of an hour wait no longer than `seconds`."""
    offered = load(arrivals, handling_seconds)
    if offered <= 0:
        return 0
    people, lost = 0, 1.0
    while people < _MOST:
        people += 1
        lost = offered * lost / (people + offered * lost)
        if people <= offered:
            continue
        waits = lost / (1 - (offered / people) * (1 - lost))
        late = waits * math.exp(-(people - offered) * seconds / handling_seconds)
        if 1 - late >= share:
            break
    return people
