"""The model zoo: its entries, and how they are published, verified, loaded, served and shown."""
