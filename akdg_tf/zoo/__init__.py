"""The model zoo: what an entry is, and how it is published, verified, loaded, served and shown."""
