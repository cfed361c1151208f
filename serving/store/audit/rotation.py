"""Rotation of the audit's key: the chain itself names the next key, in an entry made with the current one."""

from __future__ import annotations

from serving.store.ledger.chain import ChainKey
from serving.store.ledger.entry import REKEYED
from serving.store.unit_of_work import Change


def rotate(change: Change) -> str:
    """Add a key to the key file, record it in the chain, and return its fingerprint.

    A key that an interrupted rotation left in the file, and that the chain does not name yet, is used first.

    Raises
    ------
    Faults
        When the key is not in a file.
    """
    chain = change.chain
    chain.lock(change.connection)
    chain.catch_up(change.connection)
    chain.reload()
    if chain.links[-1].fingerprint == chain.current.fingerprint:
        chain.links.append(ChainKey(chain.keys.add()))
    fingerprint = chain.links[-1].fingerprint
    change.record(REKEYED, key=fingerprint)
    return fingerprint
