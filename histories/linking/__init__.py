"""Link records without a UPN to pupils: Splink on DuckDB, names in a store beside the histories, and human review of doubtful pairs."""
