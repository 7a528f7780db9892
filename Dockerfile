# leasewatch in an image without shell, package manager or any file that it does not need: the program, the
# C library it is linked with, and the certificates of public authorities.
#   docker build --build-arg LEASEWATCH_REVISION="$(git rev-parse --short=12 HEAD)" --tag leasewatch:0.1.0 .
# docs/deployment.md says how to run it.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# What `leasewatch --version` names; the image is built without the repository's history.
ARG LEASEWATCH_REVISION
RUN cargo build --release --locked && scripts/image-root target/release/leasewatch /image

FROM scratch
COPY --from=build /image /
# The user of Vault's and OpenBao's own images, by number, so that runAsNonRoot can be checked.
USER 100:1000
ENV LEASEWATCH_STATE_DIR=/var/lib/leasewatch
VOLUME ["/var/lib/leasewatch"]
EXPOSE 9748
ENTRYPOINT ["/usr/bin/leasewatch"]
CMD ["serve"]
