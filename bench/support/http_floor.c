/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of every serving benchmark: a bare libmicrohttpd that answers each request with the same bytes,
 * read once from a file. One thread, epoll, as a worker of the service.
 *
 * http_floor PORT FILE: prints "listening" and serves until it gets SIGTERM or SIGINT. */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 1 << 20 };

struct floor {
    char *body;
    size_t size;
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    const struct floor *floor = context;

    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(floor->size, floor->body, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

static int read_body(const char *path, struct floor *ret_floor)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return -1;
    }
    ret_floor->body = malloc(BODY_MAX);
    ret_floor->size = ret_floor->body == NULL ? 0 : fread(ret_floor->body, 1, BODY_MAX, file);
    (void)fclose(file);
    return ret_floor->size == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct floor floor = {0};
    sigset_t stop;
    int received;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: http_floor PORT FILE\n");
        return 2;
    }
    if (read_body(argv[2], &floor) != 0)
        return 1;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, (uint16_t)atoi(argv[1]), NULL,
                         NULL, answer, &floor, MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_END);
    if (daemon == NULL) {
        (void)fprintf(stderr, "http_floor: cannot listen on port %s\n", argv[1]);
        free(floor.body);
        return 1;
    }
    (void)printf("listening\n");
    (void)fflush(stdout);
    (void)sigwait(&stop, &received);
    MHD_stop_daemon(daemon);
    free(floor.body);
    return 0;
}
