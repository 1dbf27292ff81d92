# syntax=docker/dockerfile:1
# One static binary in an empty image. It is built for the platform that it is asked for:
#   docker buildx build --platform linux/amd64,linux/arm64 …
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
# The same sources and the same moment give the same image, to the byte.
ARG SOURCE_DATE_EPOCH=0
WORKDIR /source
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . .
RUN binary="$(scripts/build_static.sh)" \
 && install -D "$binary" /image/berth \
 && install -d -m 0755 -o 65532 -g 65532 /image/data /image/migrations \
 && install -d -m 1777 /image/tmp \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && find /image -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
COPY --from=build /image /
ENV VOLUME=/data MIGRATIONS=/migrations PORT=8080
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/berth", "health"]
LABEL org.opencontainers.image.title="berth" \
      org.opencontainers.image.description="SQL tables as a REST API, over SQLite on a volume or Postgres" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENTRYPOINT ["/berth"]
CMD ["serve"]
