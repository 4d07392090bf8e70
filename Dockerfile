# Three images: `directory` (389-ds), `redis` and `pbm`. docker-compose.yml puts them together;
# docs/OPERATIONS.md, "With Docker", describes the whole.

FROM debian:bookworm-slim AS directory
# The user exists before the package, so that its number is the same in each build: files in the volume belong to it.
# hadolint ignore=DL3008
RUN groupadd --system --gid 389 dirsrv \
    && useradd --system --uid 389 --gid dirsrv --home-dir /data --no-create-home --shell /usr/sbin/nologin dirsrv \
    && apt-get update \
    && apt-get install --yes --no-install-recommends 389-ds-base ldap-utils \
    && rm -rf /var/lib/apt/lists/*
# 389-ds looks for its configuration below /etc/dirsrv; the link keeps it with the data, in one volume. `dscreate` and `dsctl`
# are told that there is no systemd, which the package depends on, and that /tmp is where the running server keeps its files.
RUN sed -i -e "s|^with_systemd = .*|with_systemd = 0|" -e "s|^run_dir = .*|run_dir = /tmp/dirsrv|" \
        -e "s|^pid_file = .*|pid_file = /tmp/dirsrv/slapd-{instance_name}.pid|" /usr/share/dirsrv/inf/defaults.inf \
    && install --directory --owner=dirsrv --group=dirsrv --mode=0700 /data \
    && ln -s /data/config /etc/dirsrv/slapd-pbm \
    && chgrp -R dirsrv /etc/dirsrv/config /etc/dirsrv/schema \
    && chmod -R g+rX /etc/dirsrv/config /etc/dirsrv/schema
COPY --chmod=0755 deploy/docker/directory.sh /usr/local/bin/directory
USER 389:389
EXPOSE 3389
VOLUME /data
ENTRYPOINT ["directory"]
CMD ["run"]

FROM debian:bookworm-slim AS redis
# hadolint ignore=DL3008
RUN groupadd --system --gid 637 redis \
    && useradd --system --uid 637 --gid redis --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin redis \
    && apt-get update \
    && apt-get install --yes --no-install-recommends redis-server redis-tools \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 deploy/docker/redis.sh /usr/local/bin/redis
USER 637:637
EXPOSE 6379
ENTRYPOINT ["redis"]
CMD ["run"]

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
# What was compiled and downloaded is kept for the next build, and not in the image.
RUN --mount=type=cache,target=/src/target --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release --locked -p server \
    && cp target/release/pbm /usr/local/bin/pbm

FROM debian:bookworm-slim AS pbm
# hadolint ignore=DL3008
RUN groupadd --system --gid 808 pbm \
    && useradd --system --uid 808 --gid pbm --home-dir /var/lib/pbm --no-create-home --shell /usr/sbin/nologin pbm \
    && apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=pbm --group=pbm --mode=0700 /var/lib/pbm /var/backups/pbm
COPY --from=build /usr/local/bin/pbm /usr/local/bin/pbm
COPY deploy/docker/pbm.toml /etc/pbm/pbm.toml
# Uploads are kept in TMPDIR while they are read, so it is a volume on a disk and not memory.
ENV PBM_CONFIG=/etc/pbm/pbm.toml TMPDIR=/var/lib/pbm
USER 808:808
EXPOSE 8080
VOLUME ["/var/lib/pbm", "/var/backups/pbm"]
ENTRYPOINT ["pbm"]
CMD ["serve"]
