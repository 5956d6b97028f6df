"""Which series came in by topic, and which of them count?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from vpp.domain.feed import Feed, FeedAnswer
from vpp.records import FeedReceived

KEPT_FOR = timedelta(days=8)
"""A feed is kept for so long after its last value: it may stand for the same hours of the next week."""
FARTHEST = timedelta(days=62)
"""A feed that begins later than this is a mistake."""
AHEAD = timedelta(minutes=5)
"""By so much a source's clock may be ahead of ours."""
NO_JOURNAL = "no_journal"
MOST_FEEDS = 64
"""So many feeds of one series are kept at the most."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What values of one series may be."""

    lowest: float = -inf
    highest: float = inf


class FeedShelf:
    """Feeds that were accepted, by series.

    Args:
        bounds: Series of the site, and what their values may be.
        feeds: Accepted before a restart, the oldest first.

    """

    def __init__(self, bounds: Mapping[str, Bounds], feeds: Iterable[Feed] = ()) -> None:
        self._bounds = bounds
        self._feeds: dict[str, list[Feed]] = {}
        for feed in feeds:
            if feed.series in bounds:
                self.keep(feed)

    def judge(self, feed: Feed, now: datetime) -> tuple[FeedReceived, FeedAnswer]:
        """Say whether a feed can be used; nothing is kept yet."""
        code, why = self._refusal(feed, now)
        message = why or f"{len(feed.values)} values from {feed.start.isoformat()}"
        record = FeedReceived(
            feed.series, feed.start, feed.step_s, feed.values, feed.issued_at, is_accepted=not why, why=why
        )
        return record, FeedAnswer(feed.series, now, not why, code, message, feed.issued_at)

    def keep(self, feed: Feed) -> None:
        """Use a feed from now on."""
        own = self._feeds.setdefault(feed.series, [])
        own.append(feed)
        newest = max(end_of(one) for one in own)
        own[:] = sorted((one for one in own if end_of(one) > newest - KEPT_FOR), key=lambda one: one.issued_at)
        del own[:-MOST_FEEDS]

    def feeds(self) -> dict[str, tuple[Feed, ...]]:
        """Feeds by series, the newest last."""
        return {series: tuple(own) for series, own in self._feeds.items()}

    def _refusal(self, feed: Feed, now: datetime) -> tuple[str, str]:
        bounds = self._bounds.get(feed.series)
        if bounds is None:
            return "unknown_series", f"no series {feed.series}; there are {', '.join(sorted(self._bounds))}"
        latest = max((one.issued_at for one in self._feeds.get(feed.series, ())), default=None)
        untimely = _untimely(feed, now, latest)
        if untimely is not None:
            return untimely
        wrong = [value for value in feed.values if not bounds.lowest <= value <= bounds.highest]
        if wrong:
            return "implausible", f"{wrong[0]:g} is outside {bounds.lowest:g} to {bounds.highest:g}"
        return "ok", ""


def _untimely(feed: Feed, now: datetime, latest: datetime | None) -> tuple[str, str] | None:
    """Why a feed does not count at this time; a wrong year would keep all others out, or drive them away."""
    if feed.start > now + FARTHEST:
        return "too_far", f"it begins at {feed.start.isoformat()}, more than {FARTHEST.days} days ahead"
    if feed.issued_at > now + AHEAD:
        return "not_yet", f"issued at {feed.issued_at.isoformat()}, which is still to come"
    if end_of(feed) <= now:
        return "past", f"its last value ends at {end_of(feed).isoformat()}"
    if latest is not None and feed.issued_at < latest:
        return "older", f"issued before the one of {latest.isoformat()}"
    return None


def end_of(feed: Feed) -> datetime:
    """First instant after a feed's last value."""
    return feed.start + timedelta(seconds=feed.step_s * len(feed.values))


def without_journal(feed: Feed, now: datetime, reason: str) -> FeedAnswer:
    """What is answered to a feed that could not be written down."""
    message = f"it cannot be kept: {reason}"
    return FeedAnswer(feed.series, now, is_accepted=False, code=NO_JOURNAL, message=message, issued_at=feed.issued_at)
