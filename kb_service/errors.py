"""What can go wrong for a caller; `problem_details.py` holds the one table that maps these to HTTP.

    ServiceError
    ├── Unauthenticated        no key, an unknown key, a revoked key
    ├── Forbidden              the key's roles do not allow this
    ├── NotFound               no such object in this workspace
    ├── Conflict               the state does not allow this
    │   └── IdempotencyMismatch  another body under the same idempotency key
    ├── InvalidRequest         a field is missing, malformed or contradicts another
    ├── PayloadTooLarge        beyond a configured limit
    └── Overloaded             try again after `retry_after` seconds
        └── NotReady           a derived part is still loading

Messages are templates: the English text is also the key of its Chinese translation in `messages.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from kb_service.messages import Language, translate


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault: its path as the wire spells it, what was wrong, and what would be right."""

    field: str
    template: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    def message(self, language: Language) -> str:
        return translate(self.template, language, self.params)


class ServiceError(Exception):
    """Base of this room's errors. The message is for the caller; it never holds a secret."""

    code = "service_error"

    def __init__(self, template: str, /, *, fields: tuple[FieldError, ...] = (), **params: Any) -> None:
        super().__init__(translate(template, "en", params))
        self.template = template
        self.params = params
        self.fields = fields

    def detail(self, language: Language) -> str:
        return translate(self.template, language, self.params)


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


class NotFound(ServiceError):
    code = "not_found"


class Conflict(ServiceError):
    code = "conflict"


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"


class InvalidRequest(ServiceError):
    code = "invalid_request"

    @classmethod
    def of(cls, path: str, template: str, /, **params: Any) -> InvalidRequest:
        """One field at fault; the message names it."""
        return cls("{field}: " + template, fields=(FieldError(path, template, params),), field=path, **params)


class PayloadTooLarge(ServiceError):
    code = "payload_too_large"


class Overloaded(ServiceError):
    code = "overloaded"

    def __init__(self, template: str, /, *, retry_after: int = 1, **params: Any) -> None:
        super().__init__(template, **params)
        self.retry_after = retry_after


class NotReady(Overloaded):
    code = "not_ready"


def not_whole() -> InvalidRequest:
    """A form lacks what tells which state of things it was made of: nobody could see whether it writes over another's
    work."""
    return InvalidRequest(
        "This form does not tell what it was made of; open the page again and send that one."
    )


def changed_meanwhile() -> Conflict:
    """Somebody would save over what another person wrote since they looked."""
    return Conflict("Somebody changed this meanwhile; look at it before you save yours.")
