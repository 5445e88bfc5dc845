# syntax=docker/dockerfile:1
# A small image: the binary, its C library, certificate authorities; no shell, no package manager, no root.

FROM rust:1.95.0-bookworm AS build
# aws-lc and parts of the compiler for plugins are built from C sources.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin faxgate \
    && cp target/release/faxgate /faxgate \
    && mkdir --mode=0700 /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /faxgate /usr/local/bin/faxgate
COPY --from=build --chown=nonroot:nonroot /data /data
# The proxy or the port mapping in front decides what is public; see the README for HTTPS without a proxy.
ENV FAX_DATA_DIR=/data \
    HTTP_LISTEN=0.0.0.0:8080 \
    LOG_FORMAT=json
USER nonroot:nonroot
VOLUME /data
EXPOSE 8080 8443
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/usr/local/bin/faxgate", "health"]
ENTRYPOINT ["/usr/local/bin/faxgate"]
CMD ["serve"]
