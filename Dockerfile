# syntax=docker/dockerfile:1
# One static binary in an empty image.
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /source
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . .
# The target is named so that the flag does not reach build scripts and procedural macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --bin berth --target "$target" \
 && install -D "target/$target/release/berth" /image/berth \
 && install -d -m 0755 -o 65532 -g 65532 /image/data /image/migrations \
 && install -d -m 1777 /image/tmp \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /image /
ENV VOLUME=/data MIGRATIONS=/migrations PORT=8080
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/berth", "health"]
LABEL org.opencontainers.image.title="berth" \
      org.opencontainers.image.description="SQL tables as a REST API, over SQLite on a volume or Postgres" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENTRYPOINT ["/berth"]
CMD ["serve"]
