"""moto's STS, which also gives users sessions of their own, and knows its root user."""

import datetime
from dataclasses import dataclass

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend, sts_backends
from moto.sts.utils import random_session_token


@dataclass
class UserSession:
    """Temporary credentials of a user, or of the account's root user where there is no ARN."""

    user_arn: str | None
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime.datetime


class SessionSTSBackend(STSBackend):
    """STS of one account."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.user_sessions: dict[str, UserSession] = {}

    def start_user_session(self, access_key_id: str, duration: int) -> UserSession:
        """Temporary credentials of the key's user; moto gives everybody the same, which are nobody's."""
        iam = iam_backends[self.account_id][self.partition]
        user = iam.get_user_from_access_key_id(access_key_id)
        key = iam.create_temp_access_key()
        session = UserSession(
            user_arn=user.arn if user else None,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=random_session_token(),
            expiration=utcnow() + datetime.timedelta(seconds=duration),
        )
        self.user_sessions[session.access_key_id] = session
        return session

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        """The id, ARN and account of a key's owner: the root user for keys that IAM has not given out, where moto makes
        up a user."""
        session = self.user_sessions.get(access_key_id)
        iam = iam_backends[self.account_id][self.partition]
        if session and session.user_arn:
            user = iam.get_user(session.user_arn.rpartition("/")[2])
            return user.id, user.arn, self.account_id
        if session is None and access_key_id in iam.access_keys:
            identity: tuple[str, str, str] = super().get_caller_identity(access_key_id, region)
            return identity
        return self.account_id, f"arn:{self.partition}:iam::{self.account_id}:root", self.account_id


def install() -> None:
    """Put this backend in moto's place."""
    sts_backends.clear()
    sts_backends.backend = SessionSTSBackend
