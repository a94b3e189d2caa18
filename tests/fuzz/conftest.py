import warnings

import pytest


@pytest.fixture(autouse=True)
def _no_warnings():
    """Pillow and NumPy warn of what is broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
