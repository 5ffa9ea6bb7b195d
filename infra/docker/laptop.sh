#!/bin/bash
# laptop.sh COMMAND...: carry COMMAND out, say `make run`, then stay up until the container is told to stop.
# Local AWS and Airflow listen on 127.0.0.1, here too. What Docker publishes comes in by the container's own address,
# from which it is passed on.
set -euo pipefail
address=$(hostname -i)
for port in 4566 8080; do
    socat "TCP-LISTEN:$port,bind=$address,fork,reuseaddr" "TCP:127.0.0.1:$port" &
done
trap 'make down; kill $(jobs -pr) || true; exit 0' TERM INT
# In the background: bash hears a signal while it waits, and not while a command is in front.
"$@" &
wait $!
sleep infinity &
wait $!
