"""`python -m local_aws`: serve AWS on 127.0.0.1 until SIGTERM or Ctrl-C."""

import argparse
import contextlib
import errno
import signal
import sys
import tempfile
import threading
from pathlib import Path

from local_aws import server
from local_aws.sagemaker import images
from local_aws.state import StateError

SIGNAL_SECONDS = 0.5


def main(argv: list[str] | None = None) -> int:
    """Print the server's address on one line, then serve; exit code 1 where the port or the state can't be had."""
    parser = argparse.ArgumentParser(prog="local_aws", description=server.__doc__)
    parser.add_argument("--port", type=int, default=4566, help="port on 127.0.0.1; 0 takes any free one (default 4566)")
    parser.add_argument("--state-dir", type=Path, help="folder that keeps the state; default: none is kept")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="more SageMaker images, in the form of local_aws/sagemaker/images.toml",
    )
    parser.add_argument(
        "--enforce-iam", action="store_true", help="judge every call by the policies of its caller, as AWS does"
    )
    parser.add_argument(
        "--record-calls", type=Path, metavar="FILE", help="append each call to FILE, a line of JSON: who, what, on what"
    )
    arguments = parser.parse_args(argv)
    if arguments.images:
        try:
            images.read(arguments.images)
        except images.BadImages as error:
            parser.error(str(error))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with contextlib.ExitStack() as stack:
        try:
            folder = arguments.state_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local_aws-")))
            running = server.start(
                arguments.port,
                folder,
                keep=arguments.state_dir is not None,
                images_file=arguments.images,
                enforce_iam=arguments.enforce_iam,
                record_calls=arguments.record_calls,
            )
        except StateError as error:
            print(error, file=sys.stderr)
            return 1
        except OSError as error:
            if error.filename is not None and arguments.record_calls is not None:
                print(f"{error.filename}: {error.strerror}", file=sys.stderr)
                return 1
            if error.errno != errno.EADDRINUSE:
                raise
            print(f"port {arguments.port} is taken; choose another with --port, or --port 0", file=sys.stderr)
            return 1
        print(running.url, flush=True)
        # Again and again: a signal that another thread gets, one of DuckDB's say, does not wake this one.
        while not stop.wait(SIGNAL_SECONDS):
            pass
        running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
