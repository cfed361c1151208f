"""The roles of callers, defined once for keys, permissions, the access file and the store."""

from typing import Literal, get_args

Role = Literal["worker", "lead", "analyst", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
IDENTITIES: tuple[Role, ...] = ("worker", "lead", "administrator")  # they see children; an analyst sees counts
