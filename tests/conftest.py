"""What tests share: one local AWS for the whole session."""

from collections.abc import Iterator

import pytest

from local_aws import server


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A local AWS that every AWS client in this process talks to."""
    running = server.start(0, tmp_path_factory.mktemp("local_aws"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_PROFILE", raising=False)
        yield running
    running.stop()
