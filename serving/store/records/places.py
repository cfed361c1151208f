"""Where the database holds a child's records: one list for erasure, retention and subject access."""

from __future__ import annotations

from typing import Any

from serving.store.cases.casework_tables import OF_PUPILS
from serving.store.cases.tables import Case, CaseEntry, DataFault
from serving.store.people.tables import StoredDetails
from serving.store.tables import FormerReference, Hold, Pupil, StoredScore
from serving.store.trials.tables import RandomCheck, TrialAllocation, TrialException

# In the order in which rows can be removed.
OF_TRIALS: tuple[Any, ...] = (TrialException, TrialAllocation, RandomCheck)
BY_PUPIL: tuple[Any, ...] = (Case, StoredScore, Hold, *OF_PUPILS, *OF_TRIALS, StoredDetails, FormerReference, Pupil)
BY_CASE: tuple[Any, ...] = (CaseEntry, DataFault)
# Where a pupil's records may lie besides the database; each must be looked after by itself.
NOT_REACHED = (
    "backups of the database",
    "names that staff gave to their saved filters",
    "files of scores, exports and lists that commands wrote",
    "histories, their .returns and .onroll/blocks",
    "the people file itself, and the linkage store beside the histories",
    "PostgreSQL's write-ahead log (pg_wal) until it is written over, its archives, replicas, and the server's own log",
    "blocks of the disk that removed or rewritten files gave back",
    "MLflow's runs and the papers of models, which hold counts only",
)
