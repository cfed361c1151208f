"""What the service keeps, in one database: scores, keys, cases, holds, and the audit of all that is seen and done.

Work on it is a ``change`` or a ``view`` of a ``Caller``; either tells the audit what it was, in the same transaction or before
the answer leaves. Start reading at ``store.py``, then ``tables.py``.
"""

from serving.store.caller import Caller
from serving.store.database import Unavailable
from serving.store.store import Store
from serving.store.tables import Base
from serving.store.unit_of_work import Change, Conflict, NotThere, View

__all__ = ["Base", "Caller", "Change", "Conflict", "NotThere", "Store", "Unavailable", "View"]
