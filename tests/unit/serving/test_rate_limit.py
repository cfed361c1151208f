"""A token bucket allows a burst and refills at its rate."""

from serving.access.rate_limit import Buckets


def test_a_bucket_holds_a_burst_and_fills_again():
    now = [0.0]
    buckets = Buckets(per_second=2, burst=3, clock=lambda: now[0])
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b") == 0
    now[0] = 0.5
    assert [buckets.wait("a"), buckets.wait("a")] == [0, 0.5]
    now[0] = 1000
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
