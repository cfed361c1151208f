"""The test that no feature sees the future, and the effect of late recording on features."""
