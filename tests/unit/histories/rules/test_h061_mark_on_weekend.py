from tests.support.broken_rules import findings, register


def test_saturday_and_sunday():
    days = ["2024-10-04", "2024-10-05", "2024-10-06", "2024-10-07"]
    assert findings("H061", attendance=register(days)) == {"attendance": 2}
