"""The one error that a user is meant to read."""


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong and what to do.

    `run.py` prints it and exits with code 2, without a traceback.
    """

    def __str__(self):
        return " ".join(super().__str__().split())
