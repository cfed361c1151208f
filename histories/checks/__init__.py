"""The data checks: coded rules (``histories.rules``) run over opened histories."""
