/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), one word at a time. */
static uint64_t mix(uint64_t digest, uint64_t word)
{
    uint64_t z = (digest ^ word) + 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t digest_of(uint64_t digest, const struct aff_compared *row)
{
    const unsigned char *bytes = row->bytes;

    digest = mix(mix(digest, (uint64_t)row->key[0]), (uint64_t)row->key[1]);
    for (int i = 0; i < AFF_COMPARED_VALUES; i++)
        digest = mix(digest, (uint64_t)row->values[i]);
    digest = mix(digest, row->size);
    for (size_t at = 0; at < row->size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = row->size - at;
        memcpy(&word, bytes + at, left < sizeof word ? left : sizeof word);
        digest = mix(digest, word);
    }
    return digest;
}

static int order_of(const struct aff_compared *a, const struct aff_compared *b)
{
    for (int i = 0; i < 2; i++)
        if (a->key[i] != b->key[i])
            return a->key[i] < b->key[i] ? -1 : 1;
    return 0;
}

/* Counts a difference and keeps the text of the first. */
static void AFF_PRINTF(3, 4)
    differ(struct aff_comparison *comparison, const struct aff_compared *row, const char *format, ...)
{
    va_list arguments;

    if (comparison->differing++ > 0)
        return;
    comparison->first_key[0] = row->key[0];
    comparison->first_key[1] = row->key[1];
    va_start(arguments, format);
    (void)vsnprintf(comparison->first, sizeof comparison->first, format, arguments);
    va_end(arguments);
}

static aff_status advance(struct aff_comparison *comparison)
{
    comparison->begun = true;
    comparison->kept = (struct aff_compared){0};
    aff_status status =
        comparison->next(comparison->context, &comparison->kept, &comparison->more, comparison->reterr);
    if (status == AFF_OK && comparison->more) {
        comparison->rows_kept++;
        comparison->digest_kept = digest_of(comparison->digest_kept, &comparison->kept);
    }
    return status;
}

static void too_much(struct aff_comparison *comparison)
{
    const char *name = comparison->names->values[0];

    differ(comparison, &comparison->kept, "the row is kept (%s %" PRId64 "), but nothing counts for it", name,
           comparison->kept.values[0]);
}

static void meet(struct aff_comparison *comparison, const struct aff_compared *counted)
{
    const struct aff_compared *kept = &comparison->kept;
    const struct aff_compared_names *names = comparison->names;

    for (int i = 0; i < AFF_COMPARED_VALUES && names->values[i] != NULL; i++)
        if (kept->values[i] != counted->values[i]) {
            differ(comparison, counted, "%s is %" PRId64 ", counted anew %" PRId64, names->values[i],
                   kept->values[i], counted->values[i]);
            return;
        }
    if (kept->size != counted->size ||
        (kept->size > 0 && memcmp(kept->bytes, counted->bytes, kept->size) != 0))
        differ(comparison, counted, "%s: %zu bytes kept and %zu counted anew differ", names->bytes,
               kept->size, counted->size);
}

aff_status aff_compare_counted(struct aff_comparison *comparison, const struct aff_compared *counted)
{
    aff_status status = comparison->begun ? AFF_OK : advance(comparison);

    comparison->rows_counted++;
    comparison->digest_counted = digest_of(comparison->digest_counted, counted);
    while (status == AFF_OK && comparison->more && order_of(&comparison->kept, counted) < 0) {
        too_much(comparison);
        status = advance(comparison);
    }
    if (status != AFF_OK)
        return status;
    if (!comparison->more || order_of(&comparison->kept, counted) > 0) {
        differ(comparison, counted, "the row is missing (%s %" PRId64 " counted anew)",
               comparison->names->values[0], counted->values[0]);
        return AFF_OK;
    }
    meet(comparison, counted);
    return advance(comparison);
}

aff_status aff_compare_end(struct aff_comparison *comparison)
{
    aff_status status = comparison->begun ? AFF_OK : advance(comparison);

    while (status == AFF_OK && comparison->more) {
        too_much(comparison);
        status = advance(comparison);
    }
    return status;
}
