"""Write the names in a return to the linkage store: those of pupils, and those of persons who wait for a link."""

from __future__ import annotations

from histories.io.quantities import quantity
from histories.linking.store import LinkageStore
from histories.returns.files.staging import Staging
from histories.returns.pupil_keys import PupilKeys
from histories.returns.report import Report


def list_nameless(people: PupilKeys, store: LinkageStore, report: Report) -> None:
    """List persons with a name and no UPN in the linkage store beside the histories; a refused return needs the list too."""
    if people.to_link:
        count = store.add_to_link(list(people.to_link.values()))
        report.notes.append(
            f"{quantity(count, 'person')} without a UPN: listed in {store.folder.name}/{store.to_link.name} beside the histories: "
            "run 'onroll link HISTORIES --people' with this file"
        )


def keep_names(staging: Staging, store: LinkageStore, report: Report) -> None:
    """Write names of pupils to the linkage store beside the histories."""
    if staging.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'names'"):
        from histories.linking.link import write_people

        named = """SELECT coalesce(a.pupil_id, n.pupil_id) AS pupil_id, n.* EXCLUDE (pupil_id) FROM names n LEFT JOIN alias a ON a.key = n.pupil_id
            WHERE NOT starts_with(coalesce(a.pupil_id, n.pupil_id), 'unlinked:')"""
        count = write_people(staging.connection, named, store)
        report.notes.append(
            f"names of {quantity(count, 'child')} are in the linkage store {store.folder.name} beside the histories"
        )
