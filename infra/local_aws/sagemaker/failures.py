"""Why a job failed, in as much of AWS's form as has room for what the script itself said."""

import re
import signal
from collections import deque

LONGEST_REASON = 1024
_TOOLKIT_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} sagemaker-training-toolkit (?P<level>[A-Z]+)")
_SHELL_TRACE = re.compile(r"\++ ")  # what `set -x` writes to stderr


class LastWords:
    """The last lines that a program itself wrote to stderr, where the toolkit writes its log too; where there are none,
    those that it wrote to stdout: the SageMaker SDK's wrapper sends all that a script writes there."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[str]] = {"stdout": deque(maxlen=100), "stderr": deque(maxlen=100)}
        self._script_has_ended = False

    def read(self, stream: str, line: str) -> None:
        """Keep the program's lines: of stderr, those after the toolkit's last INFO and before its ERROR."""
        toolkit = _TOOLKIT_LINE.match(line)
        if toolkit and toolkit["level"] == "ERROR":
            self._script_has_ended = True
        elif toolkit:
            self._lines["stderr"].clear()
        elif not self._script_has_ended and not _SHELL_TRACE.match(line):
            self._lines[stream].append(line)

    def __str__(self) -> str:
        return "\n".join(self._lines["stderr"] or self._lines["stdout"])


def failure_reason(exit_code: int, failure_text: str, last_words: str) -> str:
    """The FailureReason of a container that ended with `exit_code` and left `failure_text` in output/failure."""
    text = failure_text.strip()
    killed = re.search(r"ExitCode -(\d+)", text) or re.match(r"-(\d+)", str(exit_code))
    ended = f", exit code: {exit_code if exit_code > 0 else 128 - exit_code}"
    if killed:
        ended += f" (the process was killed by signal {killed[1]}, {signal.Signals(int(killed[1])).name})"
    head, toolkit_has_no_message, command = text.partition('ErrorMessage ""')
    if toolkit_has_no_message:
        head, message, tail = head + 'ErrorMessage "', last_words, '"' + command[:200]
    elif text:
        # A wrapper's own words, such as the SageMaker SDK's, may leave out what went wrong.
        left_out = [line for line in last_words.splitlines() if line.strip() not in text]
        head, message, tail = text[:300], "\n".join([text[300:], *left_out]), ""
    else:
        head, message, tail = "See job logs for more information" + (": " if last_words else ""), last_words, ""
    room = LONGEST_REASON - len(f"AlgorithmError: {head}{tail}{ended}")
    message = message.rstrip()
    if len(message) > room:
        message = f"...{message[len(message) - room + 3 :]}"
    return f"AlgorithmError: {head}{message}{tail}{ended}"
