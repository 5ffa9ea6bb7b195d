"""Airflow on this machine, on the AWS account that the user's own settings and credentials lead to."""

import os
import time

import boto3
from rich.console import Console

from deploy import account, platform
from laptop import airflow, services
from laptop.settings import AIRFLOW_USER, ENVIRONMENT, Settings, airflow_secrets


def serve(settings: Settings, console: Console) -> int:
    """Run Airflow until Ctrl-C or SIGTERM; Refused where credentials or platform are wrong, ServiceError where a
    service ends."""
    if services.any_alive():
        raise services.ServiceError(f"Airflow of {ENVIRONMENT} runs already, in another terminal")
    environment = settings.user_environment()
    os.environ.update(environment)
    who = account.caller()
    platform.read(ENVIRONMENT)
    airflow.require_free_port(settings)
    console.print(
        f"starting Airflow for {ENVIRONMENT}: {who['Arn']} in {boto3.Session().region_name} ...", soft_wrap=True
    )
    services.end_by_interrupt()
    try:
        airflow.start(environment)
        airflow.Api(settings).wait_until_ready()
        console.print(
            f"Airflow   {settings.airflow_url}  (user {AIRFLOW_USER}, password {airflow_secrets()['password']})\n"
            "Stop      Ctrl-C",
            highlight=False,
        )
        while True:
            for name in airflow.SERVICES:
                services.check(name)
            time.sleep(1)
    except KeyboardInterrupt:
        return 0
    finally:
        services.stop_all()
