# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The locks first: a change of the code alone reuses these layers.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /build \
    && /build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
    && python -m venv /opt/appliance \
    && /opt/appliance/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY appliance appliance
COPY schemas schemas
COPY themes themes
COPY config.example config.example
RUN /build/bin/hatchling build --target wheel --directory /dist \
    && /opt/appliance/bin/pip install --no-deps --no-index /dist/appliance-*.whl \
    && /opt/appliance/bin/pip uninstall --yes pip \
    && install --directory --owner=10001 --group=10001 --mode=0700 /state

FROM python:3.13-slim
LABEL org.opencontainers.image.title="appliance" \
      org.opencontainers.image.description="An OpenID Provider run from a directory of configuration" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/appliance /opt/appliance
COPY --from=build --chown=10001:10001 /state /var/lib/appliance
# The root file system may be read-only: bytecode was compiled above, that of Python itself, which the image lacks, is
# compiled here, and what is temporary goes to the volume.
RUN python -m compileall -q -x site-packages "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
ENV PATH=/opt/appliance/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/var/lib/appliance
WORKDIR /var/lib/appliance
VOLUME ["/var/lib/appliance"]
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9090/healthz', timeout=2)"]
ENTRYPOINT ["appliance"]
CMD ["serve", "--config", "/etc/appliance"]
