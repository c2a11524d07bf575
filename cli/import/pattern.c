/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_orders.h"

#include <stdlib.h>

enum { MEMO_SIZE = 4096 };

struct aff_pattern_memo {
    unsigned char size; /* 0: nothing remembered */
    bool matches;
    char id[AFF_ID_MAX];
};

aff_status aff_pattern_open(struct aff_pattern *ret, const char *pattern, struct aff_error *reterr)
{
    *ret = (struct aff_pattern){.given = pattern[0] != '\0'};
    if (!ret->given)
        return AFF_OK;
    ret->memo = calloc(MEMO_SIZE, sizeof ret->memo[0]);
    if (ret->memo == NULL || regcomp(&ret->compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        free(ret->memo);
        *ret = (struct aff_pattern){0};
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    return AFF_OK;
}

bool aff_pattern_matches(struct aff_pattern *pattern, struct aff_text id)
{
    char text[AFF_ID_MAX + 1];

    if (!pattern->given)
        return true;
    struct aff_pattern_memo *memo = &pattern->memo[aff_text_hash(id) % MEMO_SIZE];
    if (memo->size == id.size && memcmp(memo->id, id.at, id.size) == 0)
        return memo->matches;
    memcpy(text, id.at, id.size);
    text[id.size] = '\0';
    memo->size = (unsigned char)id.size;
    memcpy(memo->id, id.at, id.size);
    memo->matches = regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
    return memo->matches;
}

void aff_pattern_close(struct aff_pattern *pattern)
{
    if (pattern->given)
        regfree(&pattern->compiled);
    free(pattern->memo);
    *pattern = (struct aff_pattern){0};
}
