# The machine that the README asks for (`machine`, which the devcontainer takes), and on it this checkout, set up. Only a
# clone will do: what git says of it is part of each model's lineage. docs/docker.md has the commands.
FROM python:3.12-bookworm AS machine
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends socat && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --shell /bin/bash --uid 1000 silverline
USER 1000:1000
WORKDIR /home/silverline/checkout

FROM machine AS laptop
COPY --chown=1000:1000 . .
# The folders are where volumes go, which take their owner from them.
RUN --mount=type=cache,target=/tmp/uv,uid=1000,gid=1000 \
    UV_CACHE_DIR=/tmp/uv UV_LINK_MODE=copy make setup && mkdir .state ../model
ENTRYPOINT ["infra/docker/laptop.sh"]
CMD ["make", "run"]
