"""The error type for messages that users read."""


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong and what to do.

    The commands print it and exit with code 2, without a traceback.
    """

    def __str__(self):
        return " ".join(super().__str__().split())
