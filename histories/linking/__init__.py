"""Which pupil a record without a UPN is about: Splink on DuckDB, a store of names beside the histories, and a person for doubts."""
