# mtool with training, without compiler, caches or sources:
#
#   docker build -t mtool .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" mtool split output.manifest

FROM python:3.11-slim-bookworm AS build
ARG EXTRAS=gluon,plots
WORKDIR /src
RUN python -m venv /opt/mtool
ENV PATH=/opt/mtool/bin:$PATH
COPY pyproject.toml constraints-gluon.txt README.md LICENSE ./
COPY sample_manifests sample_manifests
COPY trainers trainers
COPY manifest_tools manifest_tools
RUN pip install --no-cache-dir -c constraints-gluon.txt ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
COPY --from=build /opt/mtool /opt/mtool
# The only place where a user without a name may write, beside what is mounted.
ENV PATH=/opt/mtool/bin:$PATH HOME=/tmp
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["mtool"]
