"""Progress of work that has no Keras callback to report it."""

import logging
import time

logger = logging.getLogger(__name__)

REPORT_SECONDS = 5.0


class Progress:
    """Logs how far some work has come, every few seconds and at its end.

    Args:
        what: the work, for the log.
        total: images, or files, of the whole.
        done: those that were there before.
    """

    def __init__(self, what: str, total: int, done: int = 0):
        self.what, self.total, self._first = what, total, done
        self._began = self._reported = time.monotonic()

    def report(self, done: int) -> bool:
        """Logs the share and the time that is left, if it is time to; returns whether it was."""
        now = time.monotonic()
        if now - self._reported <= REPORT_SECONDS and done < self.total:
            return False
        left = int((now - self._began) / (done - self._first) * (self.total - done))
        share = (done, self.total, 100 * done // self.total)
        logger.info("%s %d/%d (%d%%)  ETA %d:%02d", self.what, *share, left // 60, left % 60)
        self._reported = now
        return True
