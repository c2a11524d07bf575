# SPDX-License-Identifier: Apache-2.0
# The service and its tool on Debian 12. Build: docker build -t affinityd .

FROM debian:12-slim AS build
WORKDIR /src
COPY docker/packages.txt docker/
COPY scripts/packages.sh scripts/
RUN scripts/packages.sh install build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json openapi.yaml ./
COPY cmake/ cmake/
COPY core/ core/
COPY config/ config/
COPY json/ json/
COPY sql/ sql/
COPY server/ server/
COPY cli/ cli/
RUN cmake --preset release -DAFF_TESTS=OFF -DAFF_BENCH=OFF \
    && cmake --build --preset release \
    && cmake --install build/release --prefix /opt/affinity --strip

FROM debian:12-slim
COPY docker/packages.txt /tmp/docker/
COPY scripts/packages.sh /tmp/scripts/
RUN /tmp/scripts/packages.sh install run \
    && rm -rf /var/lib/apt/lists/* /tmp/docker /tmp/scripts \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin affinity
COPY --from=build /opt/affinity/bin/ /usr/local/bin/
COPY config/affinityd.conf.example /etc/affinityd.conf.example
COPY docker/health.sh /usr/local/bin/affinityd-health
# Inside a container the loopback address would be reachable by nobody.
ENV AFFINITY_HTTP_ADDRESS=0.0.0.0
USER affinity
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["affinityd-health"]
ENTRYPOINT ["affinityd"]
