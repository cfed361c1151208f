"""SSDA903 as XML: under each CHILD a HEADER with the UPN and missing periods, and EPISODEs; staged as the CSV files are.

Source of the layout: the made-up return and the reader of an open-source validator that authorities use. Where XML holds
the social workers' episodes, which the return has had since 2024, could not be seen; only ``EPISODE`` is an episode of care.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.returns.files.row_buffer import RowBuffer
from histories.returns.files.xml import Node, leaf, read_units, under

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging

ROOT = "EXPSSDA903"
COLUMNS = {
    "header": ["child", "upn"],
    "episodes": ["child", "decom", "dec"],
    "missing": ["child", "mis_start", "mis_end"],
}


def stage(staging: Staging, file: Path, number: int) -> tuple[int, list[str]]:
    """Stage a file as the tables ``header_<number>``, ``episodes_<number>`` and ``missing_<number>``.

    Returns
    -------
    int, list of str
        Children read, and the names of the tables.

    Raises
    ------
    Faults
        When the file is damaged or of another kind.
    """
    tables = {kind: RowBuffer(staging, f"{kind}_{number}", file, columns) for kind, columns in COLUMNS.items()}

    def take(node: Node, line: int) -> None:
        headers = under(node, "HEADER")
        child = next((key for h in headers if (key := leaf(h, "CHILDID"))), None)
        tables["header"].add(line, child, next((upn for h in headers if (upn := leaf(h, "UPN"))), None))
        for episode in under(node, "EPISODE"):
            tables["episodes"].add(line, child, leaf(episode, "DECOM"), leaf(episode, "DEC"))
        for missing in under(node, "HEADER", "AMISSING"):
            tables["missing"].add(line, child, leaf(missing, "MIS_START"), leaf(missing, "MIS_END"))

    children, _ = read_units(file, ROOT, {"CHILD": take})
    for table in tables.values():
        table.flush()
    return children, [table.name for table in tables.values()]
