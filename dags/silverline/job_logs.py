"""What a SageMaker job wrote to CloudWatch Logs: the log of the task that waited for it has the end of it, too."""

import time
from collections import deque
from itertools import groupby
from typing import Any

from silverline.jobs import Kind

MOST_LINES = 2000
MOST_SECONDS = 60.0  # a task that is done is not to fail over its log


# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
def tail(kind: Kind, name: str, most_seconds: float = MOST_SECONDS) -> list[str]:
    """The last lines of the job's log, a stream after the other, each below its name; and in words what is left out,
    or why there is no log."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    where = f"log group {kind.log_group} of CloudWatch, streams {kind.log_streams(name)}"
    last: deque[dict[str, Any]] = deque(maxlen=MOST_LINES)
    read, said, deadline = 0, [], time.monotonic() + most_seconds
    pages = boto3.client("logs").get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=kind.log_group, logStreamNamePrefix=kind.log_streams(name)):
            last.extend({**event} for event in page["events"])
            read += len(page["events"])
            if page.get("nextToken") and time.monotonic() > deadline:
                said.append(f"more than {most_seconds:.0f} s of reading: the rest is in {where}")
                break
    except (BotoCoreError, ClientError) as error:
        said.append(f"the log of {name} can't be read: {error}; it is in {where}")
    else:
        if not read:
            said.append(f"{name} has written no log: nothing is in {where}")
    if read > len(last):
        said.insert(0, f"the {len(last)} last lines of {read}: those before are in {where}")
    in_streams = groupby(sorted(last, key=lambda event: event["logStreamName"]), lambda event: event["logStreamName"])
    return [*said, *(line for stream, events in in_streams for line in (stream, *(e["message"] for e in events)))]
