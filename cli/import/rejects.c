/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/rejects.h"

#include <errno.h>
#include <inttypes.h>

const char *aff_reject_text(enum aff_reject reason)
{
    static const char *const texts[] = {"",
#define X(name, text) text,
                                        AFF_CSV_FAULT_LIST(X) AFF_REJECT_LIST(X)
#undef X
    };

    return texts[reason];
}

static void put_field(FILE *file, struct aff_text text, char after)
{
    (void)fputc('"', file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"')
            (void)fputc('"', file);
        (void)fputc(text.at[i], file);
    }
    (void)fputc('"', file);
    (void)fputc(after, file);
}

aff_status aff_rejects_add(struct aff_rejects *rejects, const char *file, uint64_t line,
                           struct aff_text column, enum aff_reject reason, struct aff_text raw,
                           struct aff_error *reterr)
{
    rejects->total++;
    rejects->counts[reason]++;
    if (rejects->file == NULL) {
        rejects->file = fopen(rejects->path, "we");
        if (rejects->file == NULL)
            return aff_error_set(reterr, AFF_IO, "%s: %s; name another file with --rejects", rejects->path,
                                 strerror(errno));
        (void)fputs("file,line,column,reason,record\n", rejects->file);
    }
    put_field(rejects->file, aff_text_of(file), ',');
    (void)fprintf(rejects->file, "%" PRIu64 ",", line);
    put_field(rejects->file, column, ',');
    put_field(rejects->file, aff_text_of(aff_reject_text(reason)), ',');
    put_field(rejects->file, raw, '\n');
    if (rejects->most >= 0 && rejects->total > rejects->most)
        return aff_error_set(reterr, AFF_LIMIT,
                             "more than %" PRId64
                             " records were rejected (--max-rejects), the last one in line %" PRIu64
                             " of %s: %s; see %s",
                             rejects->most, line, file, aff_reject_text(reason), rejects->path);
    return AFF_OK;
}

aff_status aff_rejects_close(struct aff_rejects *rejects, struct aff_error *reterr)
{
    FILE *file = rejects->file;

    rejects->file = NULL;
    if (file == NULL)
        return AFF_OK;
    int failed = ferror(file);
    if (fclose(file) != 0 || failed != 0)
        return aff_error_set(reterr, AFF_IO, "%s: could not be written", rejects->path);
    return AFF_OK;
}
