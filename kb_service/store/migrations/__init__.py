"""Alembic's environment. `HEAD` names the newest revision: a store that has it starts without Alembic."""

HEAD = "0021"
