"""The service's database: scores, API keys, cases, legal holds, and the audit of everything seen and done.

All work goes through a ``change`` or a ``view`` of a ``Caller``. A change is audited in its own transaction, a view before its
answer leaves. Start reading at ``store.py``, then ``tables.py``.
"""

from serving.store.caller import Caller
from serving.store.database import Unavailable
from serving.store.store import Store
from serving.store.tables import Base
from serving.store.unit_of_work import Change, Conflict, NotThere, View

__all__ = ["Base", "Caller", "Change", "Conflict", "NotThere", "Store", "Unavailable", "View"]
