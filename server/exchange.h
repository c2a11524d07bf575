/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks by which libmicrohttpd drives requests through a worker: connection, request line, head,
 * body, answer, end. `cls` is the worker. */
#pragma once

#include <microhttpd.h>

struct aff_job;

void aff_exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code);

/* Takes the raw target before libmicrohttpd takes it apart; gives the request's peer. */
void *aff_exchange_target(void *cls, const char *target, struct MHD_Connection *connection);

enum MHD_Result aff_exchange_access(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload_data,
                                    size_t *upload_data_size, void **con_cls);

/* Takes up the requests of these jobs, a list by `next`, that are done; MHD_run() then answers them. */
void aff_exchange_resume(struct aff_job *jobs);

void aff_exchange_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                            enum MHD_RequestTerminationCode code);
