"""Letters in plain words for parents, from a template that an authority may replace."""
