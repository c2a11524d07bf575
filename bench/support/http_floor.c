/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of every serving benchmark: a bare libmicrohttpd that answers each request with the same bytes,
 * read once from a file, by one response that is made once. One thread, driven as a worker of the service is.
 *
 * http_floor PORT FILE: prints "listening" and serves until it gets SIGTERM. */
#include "server/listener.h"
#include "server/mhd_uv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 1 << 20, CONNECTIONS = 1024 };

struct floor {
    char *body;
    size_t size;
    struct MHD_Response *response;
    struct MHD_Daemon *daemon;
    struct aff_mhd_uv driver;
    uv_loop_t loop;
    uv_signal_t stop;
};

/* libmicrohttpd closes a connection whose answer is queued in the first call of a request. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    struct floor *floor = context;

    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (*request == NULL) {
        *request = floor;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, floor->response);
}

static int read_body(const char *path, struct floor *floor)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return -1;
    }
    floor->body = malloc(BODY_MAX);
    floor->size = floor->body == NULL ? 0 : fread(floor->body, 1, BODY_MAX, file);
    (void)fclose(file);
    return floor->size == 0 ? -1 : 0;
}

static void on_driver_stopped(struct aff_mhd_uv *driver)
{
    MHD_stop_daemon(driver->daemon);
}

static void on_stop(uv_signal_t *handle, int number)
{
    struct floor *floor = handle->data;

    (void)number;
    uv_close((uv_handle_t *)handle, NULL);
    aff_mhd_uv_stop(&floor->driver, on_driver_stopped);
}

static int serve(struct floor *floor, int port)
{
    struct aff_listener listener;
    struct aff_error error = {0};

    floor->response = MHD_create_response_from_buffer(floor->size, floor->body, MHD_RESPMEM_PERSISTENT);
    if (floor->response == NULL ||
        MHD_add_response_header(floor->response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json") != MHD_YES)
        return 1;
    if (aff_listener_open("127.0.0.1", port, &listener, &error) != AFF_OK) {
        (void)fprintf(stderr, "http_floor: %s\n", error.text);
        return 1;
    }
    floor->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, floor,
                                     MHD_OPTION_LISTEN_SOCKET, listener.fd, MHD_OPTION_CONNECTION_LIMIT,
                                     (unsigned)CONNECTIONS, MHD_OPTION_END);
    if (floor->daemon == NULL || uv_loop_init(&floor->loop) != 0 ||
        aff_mhd_uv_start(&floor->driver, &floor->loop, floor->daemon, &error) != AFF_OK) {
        (void)fprintf(stderr, "http_floor: cannot start: %s\n", error.text);
        return 1;
    }
    (void)uv_signal_init(&floor->loop, &floor->stop);
    floor->stop.data = floor;
    (void)uv_signal_start(&floor->stop, on_stop, SIGTERM);
    (void)printf("listening\n");
    (void)fflush(stdout);
    (void)uv_run(&floor->loop, UV_RUN_DEFAULT);
    MHD_destroy_response(floor->response);
    return uv_loop_close(&floor->loop) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct floor floor;
    int status = 1;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: http_floor PORT FILE\n");
        return 2;
    }
    if (read_body(argv[2], &floor) == 0)
        status = serve(&floor, atoi(argv[1]));
    free(floor.body);
    return status;
}
