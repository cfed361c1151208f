"""Calls to a running service, as a test makes them: plain requests whose answers are not typed."""

import httpx2

PATIENCE = 60  # seconds for one answer


def ask(url, key, body=None):
    """Return the answer as JSON; raises ``httpx2.HTTPStatusError`` when it is a problem."""
    headers = {"Authorization": f"Bearer {key}"}
    method = "GET" if body is None else "POST"
    answer = httpx2.request(method, url, json=body, headers=headers, timeout=PATIENCE)
    return answer.raise_for_status().json()


def read(url):
    """Return the text at an address that needs no key, such as the metrics."""
    return httpx2.get(url, timeout=PATIENCE).raise_for_status().text
