# A model's API outside SageMaker: the server that local AWS's endpoints run, on the packages that AWS's image holds.
# docs/docker.md has the commands. The other images of infra/local_aws/sagemaker/images.toml are arguments.
ARG PYTHON=3.12
FROM python:${PYTHON}-bookworm AS packages
ARG IMAGE=sagemaker-scikit-learn-1.9-0-cpu-py3
# uv, because two packages that AWS's image holds say of themselves that they are too old for its Python: pip refuses.
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9 && /opt/uv/bin/uv venv /opt/packages
COPY infra/local_aws/sagemaker/images/${IMAGE}.lock.txt /opt/lock.txt
RUN --mount=type=cache,target=/var/cache/uv \
    /opt/uv/bin/uv pip sync --cache-dir /var/cache/uv --link-mode copy --compile-bytecode --python /opt/packages /opt/lock.txt

# Without the compiler that some of them were built with.
FROM python:${PYTHON}-slim-bookworm
ARG PYTHON
COPY --from=packages /opt/packages /opt/packages
COPY infra/local_aws/sagemaker/model_server.py /opt/
# A model may bring a code/requirements.txt: what that asks for goes to /tmp, the one folder that has to be writable.
ENV PATH=/opt/packages/bin:$PATH \
    HOME=/tmp \
    PIP_PREFIX=/tmp/packages \
    PYTHONPATH=/tmp/packages/lib/python${PYTHON}/site-packages \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    SAGEMAKER_PROGRAM=inference.py
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/ping', timeout=2)"]
ENTRYPOINT ["python", "/opt/model_server.py"]
CMD ["0.0.0.0:8080"]
