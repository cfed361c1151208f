"""The catalogue by theme: one file a theme, one declaration a feature."""
