# syntax=docker/dockerfile:1
# A small image: one static binary and certificate authorities; no C library, no shell, no package manager, no root.

FROM rust:1.95.0-bookworm AS build
# aws-lc and parts of the compiler for plugins are built from C sources.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The target is named so that the flags are for the binary alone, not for the macros that run while it is built.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(rustc --version --verbose | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" \
       cargo build --release --locked --bin faxgate --target "$target" \
    && cp "target/$target/release/faxgate" /faxgate \
    && ldd /faxgate | grep -q 'statically linked' \
    && mkdir --mode=0700 /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /faxgate /usr/local/bin/faxgate
COPY --from=build --chown=nonroot:nonroot /data /data
# The proxy or the port mapping in front decides what is public; see docs/operating.md for HTTPS without a proxy.
ENV FAX_DATA_DIR=/data \
    HTTP_LISTEN=0.0.0.0:8080 \
    LOG_FORMAT=json
USER nonroot:nonroot
VOLUME /data
EXPOSE 8080 8443
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s CMD ["/usr/local/bin/faxgate", "health"]
ENTRYPOINT ["/usr/local/bin/faxgate"]
CMD ["serve"]
