"""The model card: what the model is for, what it was made from, how far it can be trusted."""

from __future__ import annotations

from typing import Any

from training.bundle import Manifest


def card(m: Manifest, splits_text: str) -> str:
    """Return the model card as Markdown."""
    rows = "\n".join(_row(name, figures) for name, figures in m.metrics.items())
    test = m.figures
    capacity = "\n".join(
        f"| {name.replace('_', ' ')} | {f['precision']:.1%} | {f['recall']:.0%} | {f['lift']:.0f} |"
        for name, f in test["at_capacity"].items()
    )
    limits = "\n".join(f"- {x}" for x in m.limits)
    return f"""# Model card: {m.name}, version {m.version}

## Intended use
Orders the children of an authority's rolls for early-help staff to look at, with reasons. Definition of missing: `{m.definition}`;
outcome window: {m.horizon_days} days. Not for decisions without a person, nor for schools, police or immigration.

## Data and time
{splits_text}
The final model then learned from all dates ({m.trained_on[0]} to {m.trained_on[-1]}){f", with nothing recorded on or after {m.until}" if m.until else ""}.
Share of snapshots that went missing: {m.base_rate:.3%}. Digest of the histories: `{m.data_digest[:16]}`; of the features: `{m.catalogue_digest[:16]}`.

## How it did on the newest dates
{test["positives"]} of {test["snapshots"]:,} snapshots went missing. Average precision with its 95% interval over resampled pupils:

| candidate | average precision | interval | AUC | calibration slope |
|---|---|---|---|---|
{rows}

| looking into | of those listed, went missing | of the missing, listed | times better than chance |
|---|---|---|---|
{capacity}

## Limits
{limits}
"""


def _row(name: str, f: dict[str, Any]) -> str:
    low, high = f["intervals"]["average_precision"]
    slope = f"{f['calibration_slope']:.2f}" if "calibration_slope" in f else "–"
    return f"| {name.replace('_', ' ')} | {f['average_precision']:.3f} | {low:.3f} to {high:.3f} | {f['auc']:.3f} | {slope} |"
