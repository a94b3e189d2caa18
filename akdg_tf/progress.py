"""Progress of work outside `fit`, where no Keras callback reports it."""

import logging
import time

logger = logging.getLogger(__name__)

REPORT_SECONDS = 5.0


class Progress:
    """Logs the progress of some work, every few seconds and at its end.

    Args:
        what: the work, for the log.
        total: number of items, such as images or files.
        done: items that were finished before this work began.
    """

    def __init__(self, what: str, total: int, done: int = 0):
        self.what, self.total, self._first = what, total, done
        self._began = self._reported = time.monotonic()

    def report(self, done: int) -> bool:
        """Logs the share that is done and the remaining time, if a report is due.

        Args:
            done: items that are finished now.

        Returns:
            Whether a report was due.
        """
        now = time.monotonic()
        if now - self._reported <= REPORT_SECONDS and done < self.total:
            return False
        left = int((now - self._began) / (done - self._first) * (self.total - done))
        share = (done, self.total, 100 * done // self.total)
        logger.info("%s %d/%d (%d%%)  ETA %d:%02d", self.what, *share, left // 60, left % 60)
        self._reported = now
        return True
