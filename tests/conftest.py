"""What tests share: one local AWS for the whole session."""

import os
from collections.abc import Iterator

import pytest

from local_aws import server


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A local AWS that every AWS client in this process talks to."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)  # one of them, AWS_ENDPOINT_URL_S3 say, could lead elsewhere
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        running = server.start(0, tmp_path_factory.mktemp("local_aws"))
        patch.setenv("AWS_ENDPOINT_URL", running.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield running
        running.stop()
