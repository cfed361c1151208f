"""Re-key imported histories: every pseudonym in them becomes that of the newest key.

What was hashed (UPNs, addresses, postcodes) need not be known: a new pseudonym is made from the old one (``histories.identity``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from histories.errors import Fault, Faults
from histories.identity import generations, joined, key_id, rekeyed
from histories.io.atomic_write import finish_replacing, new_file, new_folder
from histories.io.private_files import restrict
from histories.io.spreadsheet import read_csv, write_csv
from histories.linking.store import LinkageStore
from histories.returns.merging.keys import same_children
from histories.returns.merging.statements import BASE
from histories.returns.pupil_keys import links_by_key
from histories.returns.replacing import only_import, require_imported, rotations_behind
from histories.returns.submissions import FOLDER, Submissions, fingerprint, stamp_of


@contextmanager
def rekeying(folders: Sequence[Path], key: bytes) -> Iterator[Mapping[str, str]]:
    """Yield the new pseudonym of each former one in histories folders; what stores them besides is re-keyed inside.

    The folders are written beside the old ones. They take their places, and the linkage stores beside them follow, once the block
    ends without an error. A run that is interrupted can be repeated: what has the newest key already stays as it is.

    Parameters
    ----------
    folders : sequence of Path
        Histories folders made by ``onroll import``.
    key : bytes
        The key with the newest of its generations.

    Raises
    ------
    Faults
        When a folder has no imported returns, or was made with another key.
    """
    with ExitStack() as stack:
        for place in sorted({f.resolve().parent for f in folders}):
            stack.enter_context(only_import(place / "any"))
        for folder in folders:
            finish_replacing(folder)
        lag = {f: rotations_of(f, key) for f in folders}
        changes: list[tuple[Path, dict[str, str]]] = []
        new_of: dict[str, str] = {}
        with ExitStack() as replacing:
            for folder, behind in lag.items():
                if behind:
                    beside = replacing.enter_context(new_folder(folder, keep=True))
                    changes.append((folder, _Rekeying(folder, key, behind).write(beside)))
                    new_of |= changes[-1][1]
            yield new_of
            for folder, pseudonyms in changes:
                _rekey_linkage(LinkageStore(folder), pseudonyms)


def rotations_of(folder: Path, key: bytes) -> int:
    """Return how many rotations of the key an imported folder has not seen.

    Raises
    ------
    Faults
        When it has no imported returns, or was made with another key.
    """
    require_imported(folder)
    store = Submissions(folder)
    if not store.all:
        do = "Name a folder that 'onroll import' made; other histories have keys of the authority's own."
        raise Faults(Fault("the folder has no imported returns", str(folder), do))
    return rotations_behind(store, folder, key)


class _Rekeying:
    """Writes one folder again, with new pseudonyms."""

    def __init__(self, folder: Path, key: bytes, behind: int) -> None:
        keys = generations(key)
        self.folder, self.key = folder, key
        self.former_key, self.further = joined(keys[:-behind]), keys[-behind:]
        self.new_of: dict[str, str] = {}

    def write(self, beside: Path) -> dict[str, str]:
        """Write every file and the index; return the new pseudonym of each former one."""
        store = Submissions(self.folder)
        tables = {t: f for t, f in self._tables().items() if store.written.get(t) == fingerprint(f)}
        (beside / FOLDER).mkdir()
        written: dict[int, Path] = {}
        for file in sorted(self.folder.rglob("*.parquet")):
            target = beside / file.relative_to(self.folder)
            shared = file.stat().st_ino
            if shared in written:  # marks that serve as their table are stored once
                os.link(written[shared], target)
            else:
                _copy(file, target, self._new)
            written.setdefault(shared, target)
        restrict(beside)
        store.written |= {t: fingerprint(beside / f.name) for t, f in tables.items()}
        self._keep_main_keys(store, beside)
        linkage = LinkageStore(self.folder)
        if store.links == stamp_of(links_by_key(linkage, self.former_key)):
            now = links_by_key(linkage, self.key)
            store.links = stamp_of({k: self._new(pupil) for k, pupil in now.items()})
        store.key_id = key_id(self.key)
        store.write_index(beside / FOLDER)
        return self.new_of

    def _tables(self) -> dict[str, Path]:
        return {f.stem: f for f in self.folder.glob("*.parquet")}

    def _new(self, value: str) -> str:
        new = rekeyed(value, self.further)
        if new != value:
            self.new_of[value] = new
        return new

    def _keep_main_keys(self, store: Submissions, beside: Path) -> None:
        """Keep the main key of each child with several UPNs, where the new order of keys would choose another."""
        mains = {self._new(k) for k in same_children(*_keys(self.folder), store.kept).values()}
        kept = {self._new(k) for k in store.kept}
        moved = mains & same_children(*_keys(beside), kept).keys()
        store.kept = tuple(sorted(kept | moved))


def _keys(folder: Path) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return the changes of UPNs that returns stated, and the pupils of before the first import by key of the UPN."""
    pairs: list[tuple[str, str]] = []
    for file in sorted((folder / FOLDER).glob("*.upn_changes.parquet")):
        rows = pq.read_table(file, columns=["key", "former_key"])
        pairs += zip(rows["key"].to_pylist(), rows["former_key"].to_pylist(), strict=True)
    base = folder / FOLDER / f"{BASE:06}.pupils.parquet"
    if not base.is_file():
        return pairs, {}
    rows = pq.read_table(base, columns=["upn_key", "pupil_id"])
    held = zip(rows["upn_key"].to_pylist(), rows["pupil_id"].to_pylist(), strict=True)
    return pairs, {key: pupil for key, pupil in held if key}


def _copy(source: Path, target: Path, new: Callable[[str], str]) -> None:
    """Copy a Parquet file with new texts, a group of rows at a time and in the same order."""
    reader = pq.ParquetFile(source)
    with pq.ParquetWriter(target, reader.schema_arrow, compression="zstd") as out:
        for n in range(reader.num_row_groups):
            rows = reader.read_row_group(n)
            for at, column in enumerate(rows.schema):
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    rows = rows.set_column(at, column, _mapped(rows.column(at), new))
            out.write_table(rows, row_group_size=max(rows.num_rows, 1))


def _mapped(column: pa.ChunkedArray, new: Callable[[str], str]) -> pa.ChunkedArray:
    chunks = []
    for chunk in column.chunks:
        encoded = chunk.dictionary_encode()
        texts = pa.array([new(text) for text in encoded.dictionary.to_pylist()], column.type)
        chunks.append(pa.DictionaryArray.from_arrays(encoded.indices, texts).cast(column.type))
    return pa.chunked_array(chunks, column.type)


def _rekey_linkage(store: LinkageStore, new_of: Mapping[str, str]) -> None:
    """Re-key the pupils of a linkage store; persons keep their numbers, which stand beside their names there."""
    if store.people.is_file():
        with new_file(store.people) as beside:
            _copy(store.people, beside, lambda text: new_of.get(text, text))
    for file in (store.folder / "links.csv", store.review):
        if file.is_file():
            _rekey_list(file, new_of)


def _rekey_list(file: Path, new_of: Mapping[str, str]) -> None:
    names, rows = read_csv(file, ["pupil_id"])
    renamed = [{**row, "pupil_id": new_of.get(row["pupil_id"], row["pupil_id"])} for row in rows]
    write_csv(file, names, [[row[name] for name in names] for row in renamed])
