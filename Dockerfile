# The product in one image: which of its processes a container runs is its command (docker-compose.yml).
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        -r /tmp/requirements.txt \
    && /opt/venv/bin/python -m pip uninstall --quiet --yes pip setuptools

FROM python:${PYTHON}
RUN groupadd --gid 10001 tracker \
    && useradd --uid 10001 --gid tracker --no-create-home --home-dir /nonexistent tracker \
    && install -d -o tracker -g tracker /data
COPY --from=build /opt/venv /opt/venv
COPY --chown=root:root . /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data
RUN python -m compileall -q accounts dashboard issues tracker transfer manage.py
USER tracker
VOLUME /data
EXPOSE 8000 8001
# Whether the process answers; whether everything that it needs does is /health/ready, which restarts nothing.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/app/deploy/healthy.py"]
CMD ["python", "manage.py", "serve_http", "--host", "0.0.0.0"]
