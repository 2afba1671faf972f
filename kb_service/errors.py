"""What can go wrong for a caller, and the one table that turns it into problem details (RFC 9457).

    ServiceError
    ├── Unauthenticated        no key, an unknown key, a revoked key
    ├── Forbidden              the key's roles do not allow this
    ├── NotFound               no such object in this workspace
    ├── Conflict               the state does not allow this; another body under the same idempotency key
    ├── InvalidRequest         a field is missing, malformed or contradicts another
    ├── PayloadTooLarge        beyond a configured limit
    ├── Overloaded             try again after `retry_after` seconds
    └── NotReady               a derived part is still loading
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault: its path as the wire spells it, what was wrong, and what would be right."""

    field: str
    message: str


class ServiceError(Exception):
    """Base of this room's errors. `detail` is for the caller; it never holds a secret."""

    code = "service_error"

    def __init__(self, detail: str, *, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


class NotFound(ServiceError):
    code = "not_found"


class Conflict(ServiceError):
    code = "conflict"


class InvalidRequest(ServiceError):
    code = "invalid_request"


class PayloadTooLarge(ServiceError):
    code = "payload_too_large"


class Overloaded(ServiceError):
    code = "overloaded"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotReady(Overloaded):
    code = "not_ready"
