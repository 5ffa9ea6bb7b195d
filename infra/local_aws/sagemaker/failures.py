"""Why a job failed, in as much of AWS's form as has room for what the script itself said."""

import re
import signal
from collections import deque

LONGEST_REASON = 1024
_TOOLKIT_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} sagemaker-training-toolkit (?P<level>[A-Z]+)")


class LastWords:
    """The last lines that a script itself wrote to stderr, where the toolkit writes its log too."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=100)
        self._script_has_ended = False

    def read(self, line: str) -> None:
        """Keep the script's lines: those after the toolkit's last INFO and before its ERROR."""
        toolkit = _TOOLKIT_LINE.match(line)
        if toolkit and toolkit["level"] == "ERROR":
            self._script_has_ended = True
        elif toolkit:
            self._lines.clear()
        elif not self._script_has_ended:
            self._lines.append(line)

    def __str__(self) -> str:
        return "\n".join(self._lines)


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
        left_out = "" if last_words in text else f"\n{last_words}"
        head, message, tail = text[:300], text[300:] + left_out, ""
    else:
        head, message, tail = "See job logs for more information" + (": " if last_words else ""), last_words, ""
    room = LONGEST_REASON - len(f"AlgorithmError: {head}{tail}{ended}")
    return f"AlgorithmError: {head}{message.rstrip()[-room:]}{tail}{ended}"
