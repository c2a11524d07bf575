# syntax=docker/dockerfile:1
# Two stages: the first builds (and with --build-arg CHECK=enable runs the unit and property tests), the second holds the programs
# and the libraries that they need. Packages come from docker/packages.txt, the list that test.sh and demo.sh use.

FROM debian:12-slim AS build
ARG CHECK=disable
WORKDIR /src
COPY docker/packages.txt docker/packages.txt
COPY scripts/packages.sh scripts/packages.sh
RUN scripts/packages.sh install build
COPY . .
RUN cmake --preset release -DAFF_TESTS=OFF -DAFF_BENCH=OFF \
    && cmake --build --preset release \
    && DESTDIR=/image cmake --install build/release --prefix /usr --strip
RUN if [ "$CHECK" = enable ]; then \
        scripts/packages.sh install test \
        && cmake --preset dev && cmake --build --preset dev && ctest --preset dev -L 'unit|property'; \
    fi

FROM debian:12-slim
COPY docker/packages.txt /tmp/docker/packages.txt
COPY scripts/packages.sh /tmp/scripts/packages.sh
RUN /tmp/scripts/packages.sh install run && rm -rf /tmp/docker /tmp/scripts /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --no-create-home affinityd \
    && install -d -o 65532 -g 65532 /var/lib/affinityd /var/lib/affinityd/snapshots /var/lib/affinityd/spool
COPY --from=build /image/usr/bin/ /usr/bin/
USER 65532
EXPOSE 8080
ENV AFFINITY_HTTP_ADDRESS=0.0.0.0 \
    AFFINITY_SNAPSHOT_DIRECTORY=/var/lib/affinityd/snapshots \
    AFFINITY_SPOOL_DIRECTORY=/var/lib/affinityd/spool
VOLUME /var/lib/affinityd
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${AFFINITY_HTTP_PORT:-8080} && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"]
ENTRYPOINT ["affinityd"]
