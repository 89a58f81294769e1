"""What is stored of a password: its digest by Argon2id, with the parameters in it (RFC 9106)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cronq.domain.access import comparable

#: 64 MiB, three passes, four lanes: RFC 9106, section 4, second choice.
_hasher = PasswordHasher()
#: The digest of a password that nobody knows: whoever names a user that there is not waits as long as others.
OF_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$ETxnqTbyq5DPnsCRSilq/A$A02OK9Q6Ve5c0D1nH+tu0CkNd90Vuv5sHwcnVJuVUhk"
)


def digest_password(password: str) -> str:
    """The digest to store. It takes a fifth of a second and 64 MiB, so it belongs into a thread."""
    return _hasher.hash(comparable(password))


def is_password(digest: str | None, password: str) -> bool:
    """Whether the digest is of this password; takes as long when there is no digest."""
    try:
        return _hasher.verify(digest or OF_NOBODY, comparable(password)) and digest is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(digest: str) -> bool:
    """Whether a digest was made with less work than is usual today."""
    return _hasher.check_needs_rehash(digest)
