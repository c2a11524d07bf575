/* SPDX-License-Identifier: Apache-2.0 */
/* Hands an answer over to libmicrohttpd. */
#pragma once

#include "server/peer.h"

#include <microhttpd.h>

/* Sends peer->reply and its buffer, which is then no longer the peer's, and counts it. */
enum MHD_Result aff_send(struct aff_peer *peer, struct MHD_Connection *connection);
