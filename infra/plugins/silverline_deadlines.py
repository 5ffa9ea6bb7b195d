"""Where Airflow looks for what a missed deadline calls: in the triggerer, whose path has the plugins but not the DAGs.

The triggerer keeps what it has imported until it starts anew.
"""

import asyncio
import sys
from typing import Any


async def run_late(context: dict[str, Any]) -> None:
    """Call `silverline.alerts.run_late` of the DAGs folder, in a thread: it waits for AWS."""
    await asyncio.to_thread(_run_late, context)


def _run_late(context: dict[str, Any]) -> None:
    from airflow.configuration import conf

    if (folder := conf.get("core", "dags_folder")) not in sys.path:
        sys.path.append(folder)
    from silverline import alerts

    alerts.run_late(context)
