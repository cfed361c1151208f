"""Random checks below the cut: some children whom the list did not choose are drawn by lot, so that missed need can be estimated (docs/trial.md)."""
