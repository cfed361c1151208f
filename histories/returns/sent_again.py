"""Say which returns correct earlier ones, and which stand beside others; refuse those of which neither is certain."""

from __future__ import annotations

from histories.errors import Fault
from histories.io.quantities import quantity
from histories.returns.merging.senders import Scopes
from histories.returns.report import Report, Unusable
from histories.returns.submissions import Submission


def title(submission: Submission) -> str:
    """Return the beginning of a sentence about a submission."""
    if submission.period.startswith("file "):
        return f"{submission.form}: this return "
    return f"{submission.form} {submission.period} "


def tell_senders(submissions: list[Submission], before: int, scopes: Scopes, report: Report) -> None:
    """Add a note for each new submission that corrects another, or stands beside another of its period.

    Parameters
    ----------
    before : int
        The last number before this import.

    Raises
    ------
    Unusable
        If it is uncertain whether a new submission corrects an earlier one.
    """
    faults = []
    for s in (s for s in submissions if s.number > before):
        if corrected := scopes.corrected_by(s, submissions):
            report.notes.append(f"{title(s)}corrects an earlier submission{_withdrawn(s, corrected, scopes)}")
        elif any((o.form, o.period) == (s.form, s.period) and o.number < s.number for o in submissions):
            why = "it is of another authority" if s.sender else "its children are others"
            if "" in scopes.schools[s.number]:
                report.notes.append(f"{title(s)}is kept beside an earlier return of the same period: {why}")
    for period in _periods(scopes.doubtful, before):
        do = (
            "Import the returns again by themselves with --sender AUTHORITY: the same name for both if one corrects the other, "
            "different names if they are of two authorities."
        )
        what = "two returns have some children in common, so that one may correct the other or be of another authority"
        faults.append(Fault(what, period, do))
    for period in _periods(scopes.clashing, before):
        do = "Import one of them with --sender AUTHORITY, and write AUTHORITY/NUMBER as person_id to link its children."
        what = "returns of two authorities have one number for children without a UPN, who may be two children"
        faults.append(Fault(what, period, do))
    if faults:
        raise Unusable(faults)


def _periods(pairs: list[tuple[Submission, Submission]], before: int) -> list[str]:
    """Return the forms and periods of pairs of which one is of this import."""
    return sorted({f"{s.form} {s.period}" for pair in pairs for s in pair if any(p.number > before for p in pair)})


def _withdrawn(submission: Submission, corrected: list[Submission], scopes: Scopes) -> str:
    """Say how many children a correction no longer lists, where the children are known."""
    listed = scopes.children.get(submission.number)
    if listed is None:
        return ""
    lost = len(scopes.children[corrected[-1].number] - listed)
    return f", and withdraws what that stated of {quantity(lost, 'child')} whom it does not list" if lost else ""
