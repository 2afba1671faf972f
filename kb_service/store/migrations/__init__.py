"""Alembic's environment. `HEAD` names the newest revision, so that an up-to-date store starts without Alembic."""

HEAD = "0001"
