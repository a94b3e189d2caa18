"""The short table that ends a run."""


def table(result: dict) -> str:
    return ""
