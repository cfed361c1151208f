"""The formats of returns: each is a module with a ``RETURN``, or a declaration ``NAME.toml``; see ``histories.returns``."""
