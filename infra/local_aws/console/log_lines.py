"""The end of a log: of a job's or an endpoint's streams, in the order of time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_aws.console.clients import client

MOST_LINES, MOST_STREAMS = 1000, 50


@dataclass(frozen=True)
class Log:
    """A log group, the streams that were read, and the last lines: time, stream and message of each."""

    group: str
    streams: list[str]
    lines: list[tuple[datetime, str, str]]


def end(group: str, prefix: str = "") -> Log:
    """The end of the streams whose names begin with `prefix`; without lines where there is no such group yet."""
    logs = client("logs")
    try:
        streams = _streams(logs, group, prefix)
    except logs.exceptions.ResourceNotFoundException:
        return Log(group, [], [])
    lines: list[tuple[int, str, str]] = []
    for stream in streams:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=MOST_LINES, startFromHead=False)[
            "events"
        ]
        lines += [(event["timestamp"], stream.removeprefix(prefix), event["message"]) for event in events]
    lines.sort(key=lambda line: line[0])
    return Log(
        group,
        streams,
        [(datetime.fromtimestamp(at / 1000, UTC), stream, text) for at, stream, text in lines[-MOST_LINES:]],
    )


def _streams(logs: Any, group: str, prefix: str) -> list[str]:
    """The newest streams, by name."""
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, **({"logStreamNamePrefix": prefix} if prefix else {})
    )
    found = [stream for page in pages for stream in page["logStreams"]]
    newest = sorted(found, key=lambda stream: stream.get("lastEventTimestamp", 0))[-MOST_STREAMS:]
    return sorted(stream["logStreamName"] for stream in newest)
