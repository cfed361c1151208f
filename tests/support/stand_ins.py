"""What stands in the place of a guard that is taken out: see ``tests/support/guards.py``."""

import getpass
import shutil
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import sqlalchemy as sa


def nothing(*_: Any, **__: Any) -> None:
    """Check nothing."""


def yes(*_: Any, **__: Any) -> bool:
    """Allow everything."""
    return True


def no_conditions(*_: Any, **__: Any) -> list[Any]:
    """Limit nothing."""
    return []


def every_key(connection: Any, key: str) -> Any:
    """Return the caller of a key, whether it has ended or not."""
    from serving.store.caller import Caller
    from serving.store.sign_in.api_keys import BY_DIGEST, _digest

    row = connection.execute(BY_DIGEST, {"digest": _digest(key)}).one_or_none()
    return row and Caller(row.key_id, row.role, row.authority)


def children_for_all(caller: Any, table: Any) -> list[Any]:
    """Give children to every role."""
    return caller.scope(table)


def cases_go_with_the_child(cases: Any) -> None:
    """Let a case belong to the authority of its child."""
    from serving.store.tables import Pupil

    cases.PLACE.authority = Pupil.authority


def claims_unchecked(tokens: Any, token: str) -> Any:
    """Check the signature of a token only."""
    return tokens._decoded(token)


def wherever(path: str | None, *_: Any) -> str:
    """Lead to any address."""
    return path or "/"


def no(*_: Any, **__: Any) -> bool:
    """Find nothing."""
    return False


def true(*_: Any) -> Any:
    """Return a condition that always holds."""
    return sa.true()


def none(*_: Any, **__: Any) -> frozenset[str]:
    """Return nothing of many, instead of what was found."""
    return frozenset()


def no_text(*_: Any, **__: Any) -> str:
    """Say nothing."""
    return ""


def itself(value: Any, *_: Any, **__: Any) -> Any:
    """Leave a value as it is."""
    return value


class Same(str):
    """A text that is equal to every other."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def same_digest(content: bytes) -> str:
    """Return a digest that every file has."""
    return Same("0")


def token_unverified(tokens: Any, token: str) -> Any:
    """Read a token without its signature, issuer, audience and times."""
    return jwt.decode(token, options={"verify_signature": False})


def never_idle(engine: Any, secret: str, idle: timedelta) -> Any:
    """Return the caller of a session, however long nobody used it."""
    from serving.store.sign_in.sessions import signed_in

    return signed_in(engine, secret, timedelta(days=9999))


def every_right(module: Any) -> None:
    """Give the service's account of the database every right on every table."""
    module.OF_SERVICE = dict.fromkeys(module.OF_SERVICE, "ALL")


def no_anchors(*_: Any, **__: Any) -> Any:
    """Read no anchor."""
    return iter(())


def first_anchors(anchors: Any, also: Any = ()) -> Any:
    """Read the first place of anchors only."""
    from serving.store.ledger.anchor_places import read_anchors

    return read_anchors(anchors.file)


def version_unchecked(releases: Any, name: str, version: int, lines: Any = None) -> Any:
    """Return a version's folder and whatever digest it has."""
    from training.bundle import bundle_digest

    folder = releases / name / f"v{version}"
    return folder, bundle_digest(folder)


def take_over_anyway(module: Any) -> None:
    """Let a model serve although nothing could be recorded."""
    load = module.LiveModel._load

    def without_record(live: Any, release: Any) -> None:
        live.take_over = nothing
        load(live, release)

    module.LiveModel._load = without_record


def any_version(module: Any) -> None:
    """Let a case be changed from whatever version somebody read."""
    add_entry = module.add_entry

    def unchecked(change: Any, case_id: str, version: int, *more: Any, **entry: Any) -> int:
        return add_entry(change, case_id, module.case(change, case_id)["version"], *more, **entry)

    module.add_entry = unchecked


def markup_stays(module: Any) -> None:
    """Let templates write text as markup."""
    made = module.jinja2.Environment
    module.jinja2 = SimpleNamespace(
        **{name: getattr(module.jinja2, name) for name in ("PackageLoader", "PrefixLoader", "StrictUndefined")},
        Environment=lambda **options: made(**{**options, "autoescape": False}),
    )


def pupils_unrecorded(module: Any) -> None:
    """Record in the audit what was done, and not to whom."""
    record = module.View.record

    def without_pupils(view: Any, action: str, pupils: Any = (), **details: Any) -> None:
        record(view, action, (), **details)

    module.View.record = without_pupils


def stored_in_clear(cipher: Any) -> None:
    """Store personal details as they are."""

    def seal(_: Any, pupil_id: str, text: bytes) -> bytes:
        return text

    def unseal(_: Any, key_id: str, pupil_id: str, sealed: bytes) -> bytes:
        return sealed

    cipher.Cipher.seal, cipher.Cipher.unseal = seal, unseal


def bound_to_no_pupil(cipher: Any) -> None:
    """Encrypt personal details for nobody in particular."""
    bound_seal, bound_unseal = cipher.Cipher.seal, cipher.Cipher.unseal

    def seal(own: Any, pupil_id: str, text: bytes) -> bytes:
        return bound_seal(own, "", text)

    def unseal(own: Any, key_id: str, pupil_id: str, sealed: bytes) -> bytes:
        return bound_unseal(own, key_id, "", sealed)

    cipher.Cipher.seal, cipher.Cipher.unseal = seal, unseal


def everybodys_details(caller: Any) -> Any:
    """Read personal details of every authority."""
    from serving.store.people.details import ROWS
    from serving.store.people.tables import StoredDetails
    from serving.store.tables import Pupil

    return ROWS.join(Pupil, Pupil.pupil_id == StoredDetails.pupil_id)


def holder_unknown(*_: Any) -> Any:
    """Say nothing about a refused key."""
    return "unknown", None


def copied_as_a_file(engine: Any, out: Any) -> None:
    """Copy a database in use like any other file."""
    shutil.copy(engine.url.database, out)


def one_rule_less(module: Any) -> None:
    """Forget a route."""
    module.RULES = module.RULES[1:]


def every_role(module: Any) -> None:
    """Let every role call every route."""
    from serving.roles import ROLES

    find = module.find

    def unlimited(method: str, path: str) -> Any:
        rule, methods = find(method, path)
        return rule and replace(rule, roles=rule.roles if rule.is_open else ROLES), methods

    module.find = unlimited


def same_secret(module: Any) -> None:
    """Let a session go on under the secret from before signing in."""
    from sqlalchemy import update

    from serving.store.sign_in.sessions import Session, digest_of

    opened, set_cookie = module.open_session, module.set_cookie

    def go_on(change: Any, name: str, before: str) -> str:
        secret: str = opened(change, name, before)
        session = update(Session).where(Session.digest == digest_of(secret))
        change.connection.execute(session.values(digest=before))
        return secret

    def keep(request: Any, answer: Any, secret: str) -> None:
        if not request.cookies:
            set_cookie(request, answer, secret)

    module.open_session, module.set_cookie = go_on, keep


def raw_path(scope: Any, rule: Any) -> Any:
    """Name a request by its path, not by its route."""
    return scope["method"], scope["path"]


def last_place_forgotten(module: Any) -> None:
    """Forget a table that names children."""
    module.BY_PUPIL = module.BY_PUPIL[:-1]


def key_anywhere(settings: Any, histories: Any) -> Any:
    """Take the key of pseudonyms from any folder."""
    return settings.pseudonym_key


def group_is_a_role(configuration: Any, kind: str, account: str, roles: Any, groups: Any) -> Any:
    """Take roles from groups too."""
    from serving.store import Caller

    named = [configuration.roles[n] for n in (*roles, *groups) if n in configuration.roles]
    members = [configuration.groups[n] for n in groups if n in configuration.groups]
    return Caller(f"{kind}:{account}", named[0], members[0].authority if members else None)


def roles_from_groups(module: Any) -> None:
    """Take the roles of a proxy from its groups, unless its settings say otherwise."""
    settings = module.ProxySettings
    settings.model_fields["roles_header"].default = settings.model_fields["groups_header"].default
    settings.model_rebuild(force=True)
    module.Configuration.model_rebuild(force=True)


class EveryName(dict):
    """An environment in which everything is set."""

    def __contains__(self, name: object) -> bool:
        return True


def files_are_the_environment(module: Any) -> None:
    """Let a file of settings name code."""
    module.os = SimpleNamespace(environ=EveryName())


account_by_environment = getpass.getuser
compared_anyhow = SimpleNamespace(compare_digest=yes)


async def blocking(*_: Any, **__: Any) -> bytes:
    """Wait for the provider on the event loop, as long as the test has patience."""
    import threading

    threading.Event().wait(25)
    raise TimeoutError


def attempts_end(view: Any) -> None:
    """Let every answer that is refused end the browser's attempt."""
    failed = view._failed

    def ending(context: Any, request: Any, *more: Any) -> Any:
        answer = failed(context, request, *more)
        view.attempts.delete_cookie(request, answer)
        return answer

    view._failed = ending
