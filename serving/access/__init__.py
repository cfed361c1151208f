"""Who may call what: one declared table of rules, and several ways in behind one interface.

A request carries something that says who calls. Each *way in* (a key, a token of the organisation's identity provider, a
trusted proxy, a user made up for development) turns a request into a ``Caller``; the *door* asks the ways in order, looks the
route up in the table of rules and lets nothing through that has no rule. What a caller sees of what there is, the store says.
"""

from serving.access.configuration import Configuration
from serving.access.middleware import AccessMiddleware
from serving.access.permissions import RULES, Permission, matrix

__all__ = ["RULES", "AccessMiddleware", "Configuration", "Permission", "matrix"]
