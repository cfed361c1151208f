"""Sending the forms of pages."""

import re


def submit(client, page, to, /, **fields):
    """Send a form with the token that a page gave."""
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(page).text).group(1)
    return client.post(to, data={"csrf": token, **fields})
