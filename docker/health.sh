#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Exit status 0 when the service of this container answers: it needs no HTTP client in the image.
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${AFFINITY_HTTP_PORT:-8080}"
printf 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 line <&3
[[ $line == "HTTP/1.1 200 "* ]]
