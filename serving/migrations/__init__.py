"""Alembic migrations of the database, one file per revision, run by ``serving.store.schema``."""
