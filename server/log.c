/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log.h"

#include "core/base/clock.h"
#include "json/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void aff_log_init(struct aff_log *log, int file)
{
    atomic_init(&log->level, AFF_LOG_INFO);
    log->file = file;
}

void aff_log_set_level(struct aff_log *log, const char *name)
{
    int level = AFF_LOG_INFO;

    for (int i = AFF_LOG_ERROR; i <= AFF_LOG_DEBUG; i++)
        if (strcmp(level_names[i], name) == 0)
            level = i;
    atomic_store_explicit(&log->level, level, memory_order_relaxed);
}

/* Messages come from drivers and from the system, too: what is no UTF-8 is shown as '?'. */
static void write_safe(struct aff_json *json, const char *text)
{
    char copy[1024];
    size_t size = 0;

    if (aff_text_is_utf8(aff_text_of(text))) {
        aff_json_string(json, text);
        return;
    }
    for (; text[size] != '\0' && size < sizeof copy; size++)
        copy[size] = text[size];
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)copy[i] >= 0x80)
            copy[i] = '?';
    aff_json_text(json, (struct aff_text){copy, size});
}

static void write_line(struct aff_json *json, enum aff_log_level level, const char *event,
                       const struct aff_log_field *fields, const char *message)
{
    char now[AFF_TIME_TEXT];

    aff_time_format(aff_clock_now_us(), now);
    aff_json_open_object(json);
    aff_json_name(json, "ts");
    aff_json_string(json, now);
    aff_json_name(json, "level");
    aff_json_string(json, level_names[level]);
    aff_json_name(json, "event");
    aff_json_string(json, event);
    aff_json_name(json, "msg");
    write_safe(json, message);
    for (; fields != NULL && fields->name != NULL; fields++) {
        aff_json_name(json, fields->name);
        if (fields->text != NULL)
            write_safe(json, fields->text);
        else
            aff_json_int(json, fields->number);
    }
    aff_json_close_object(json);
}

void aff_log(struct aff_log *log, enum aff_log_level level, const char *event,
             const struct aff_log_field *fields, const char *format, ...)
{
    struct aff_json json = {0};
    char message[1024];
    va_list arguments;

    if (!aff_log_wants(log, level))
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    write_line(&json, level, event, fields, message);
    json.comma = false;
    aff_json_raw(&json, "\n", 1);
    /* A line that cannot be written has nowhere to be reported. */
    if (!json.failed && write(log->file, json.bytes, json.size) < 0)
        atomic_signal_fence(memory_order_relaxed);
    aff_json_done(&json);
}
