"""The steps of the database's schema, one file a step, run by ``serving.store.schema`` with Alembic."""
