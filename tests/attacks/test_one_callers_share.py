"""One signed-in worker asks for everything at once: others are still answered.

Before, 64 exports of one session, of four seconds each, took every place of a worker: whoever else asked was told 503.
"""

import asyncio

import pytest

from serving.access import shares
from serving.access.middleware import AccessMiddleware
from serving.access.permissions import RULES
from serving.access.rate_limit import Buckets
from serving.http import turns, work
from serving.store import Caller
from tests.support.coroutines import run

DEAR = sorted(rule.route for rule in RULES if rule.dear)


async def until(is_so):
    """Wait until something is so; in vain, without a guard."""
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.001)


class Everybody:
    """Believes a header."""

    def caller(self, request):
        return Caller(request.headers["who"], "lead", "801")


class Noted:
    def __init__(self):
        self.statuses = []

    def refused(self, caller, status, route, reason):
        self.statuses.append((caller.key_id, status))


class Service:
    """The middleware before an application that answers when it is told to."""

    def __init__(self, begins=False):
        self.inside, self.end, self.noted, self.begins = [], asyncio.Event(), Noted(), begins
        self.door = AccessMiddleware(self.app, [Everybody()], Everybody(), Buckets(1e6, 1_000_000), self.noted)

    async def app(self, scope, receive, send):
        self.inside.append(scope["state"]["caller"].key_id)
        if self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()

    async def ask(self, who, path, method="GET", receive=None):
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b"who", who.encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b"", "state": {}}
        await self.door(scope, receive, send)
        return sent[0]["status"] if sent else 200


def test_who_asks_for_everything_leaves_places_for_others():
    async def asked():
        service = Service()
        greedy = [asyncio.create_task(service.ask("greedy", "/work-list")) for _ in range(work.MAX_AT_ONCE)]
        refused = work.MAX_AT_ONCE - shares.MAX_OF_CALLER
        await until(lambda: sum(t.done() for t in greedy) >= refused and len(service.inside) >= shares.MAX_OF_CALLER)
        honest = asyncio.create_task(service.ask("honest", "/work-list"))
        await until(lambda: "honest" in service.inside)
        service.end.set()
        statuses = [await task for task in (*greedy, honest)]
        return statuses, service.noted.statuses, await service.ask("greedy", "/work-list")

    statuses, noted, afterwards = run(asked())
    assert statuses.count(429) == work.MAX_AT_ONCE - shares.MAX_OF_CALLER
    assert set(noted) == {("greedy", 429)}
    assert (statuses[-1], afterwards) == (200, 200)


def test_a_body_that_still_arrives_is_no_work():
    async def asked():
        service, arriving = Service(), asyncio.Event()

        async def half():
            await arriving.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        path = "/api/v1/worklist"
        slow = [asyncio.create_task(service.ask("same", path, "POST", half)) for _ in range(2 * shares.MAX_OF_CALLER)]
        quick = asyncio.create_task(service.ask("same", "/work-list"))
        await until(lambda: bool(service.inside))
        begun = len(service.inside)
        arriving.set()
        await until(lambda: sum(t.done() for t in slow) > shares.MAX_OF_CALLER)
        service.end.set()
        return begun, await quick, [await task for task in slow]

    begun, quick, slow = run(asked())
    assert (begun, quick, slow.count(200)) == (1, 200, shares.MAX_OF_CALLER - 1)


@pytest.mark.parametrize("path", DEAR)
def test_for_dear_answers_callers_take_turns(path):
    async def asked():
        service = Service()
        greedy = [asyncio.create_task(service.ask("greedy", path)) for _ in range(turns.MAX_OF_CALLER)]
        await until(lambda: bool(service.inside))
        honest = asyncio.create_task(service.ask("honest", path))
        await until(lambda: len(service.door.turns._waiting) >= 2)
        at_once = list(service.inside)
        service.end.set()
        assert {await task for task in (*greedy, honest)} == {200}
        return at_once, service.inside

    at_once, order = run(asked())
    assert at_once == ["greedy"]
    assert order.index("honest") <= 2


def test_who_reads_an_answer_slowly_holds_up_nobody():
    async def asked():
        service = Service(begins=True)
        slow = asyncio.create_task(service.ask("slow", DEAR[0]))
        other = asyncio.create_task(service.ask("other", DEAR[0]))
        await until(lambda: len(service.inside) >= 2)
        service.end.set()
        return [await slow, await other]

    assert run(asked()) == [200, 200]


def test_every_file_of_a_page_is_dear():
    files = {rule.route for rule in RULES if rule.page and rule.method == "GET" and "." in rule.route}
    assert files <= set(DEAR)
    assert {"/team", "/transition", "/work-list.xlsx"} <= set(DEAR)
