"""Who may call what: one permission table, and several authenticators behind one interface.

An authenticator (an API key, a token of the identity provider, a trusted proxy, a development user) turns a request into a
``Caller``. The middleware asks the authenticators in order, looks up the route in the permission table, and refuses a route
that is not in it. The store then limits what a caller sees to the caller's scope.
"""
