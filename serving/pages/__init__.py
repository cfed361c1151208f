"""Server-rendered pages for staff who work with children: no script, and the same access rules as the interface."""
