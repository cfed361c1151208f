"""Words that a command keeps for ever: refused before it does anything, where they name a child."""

from __future__ import annotations

from collections.abc import Mapping

from histories.settings import Settings


def refuse_names_of_children(settings: Settings, texts: Mapping[str, str | None]) -> None:
    """Refuse options whose words name a child; see ``serving.store.audit.kept_text``.

    The store is asked for its pupils where there is one that answers.

    Raises
    ------
    Usage
        With a fault for each option.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from histories.errors import Faults, Usage
    from serving.store import Store, Unavailable
    from serving.store.audit.kept_text import must_name_nobody
    from serving.store.audit.model_log import has_store
    from serving.store.database import reading

    must_name_nobody(texts)
    if not has_store(settings):
        return
    try:
        with reading(Store.of(settings).engine) as connection:
            must_name_nobody(texts, connection)
    except Usage:
        raise
    except (Faults, SQLAlchemyError, Unavailable, OSError):
        return  # it cannot be asked, which the command itself reports where it matters
