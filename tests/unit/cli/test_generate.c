/* SPDX-License-Identifier: Apache-2.0 */
/* The whole command against digests: a change of any byte of a store shows here, and must be meant. */
#include "cli/command.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const files[] = {"order_lines.csv", "products.csv", "customers.csv", "truth.json",
                                    "import.conf"};
enum { FILES = 5 };

/* XXH3-64 of each file of `--lines 3000 --seed 7`. The integers behind it are the same on every machine. */
static const uint64_t digests[FILES] = {0xf96e49a346683696, 0xdc1f032fc8b279df, 0x66aa1398683767bd,
                                        0xc5c2a54077d7bb0c, 0xd6eda234c849fcec};

static uint64_t digest_of(const char *folder, const char *name)
{
    char path[256], *bytes = malloc(1 << 20);

    assert_non_null(bytes);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, 1 << 20, file);
    (void)fclose(file);
    assert_in_range(size, 1, (1 << 20) - 1);
    uint64_t digest = aff_text_hash((struct aff_text){bytes, size});
    free(bytes);
    return digest;
}

static void remove_folder(const char *folder)
{
    char path[256];

    for (int i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static int generate(char *folder, const char *seed)
{
    char command[] = "generate", out[] = "--out", lines[] = "--lines", number[] = "3000", seeded[] = "--seed",
         quiet[] = "--quiet", value[8];

    (void)snprintf(value, sizeof value, "%s", seed);
    char *argv[] = {command, out, folder, lines, number, seeded, value, quiet, NULL};
    return aff_command_generate(8, argv);
}

static void a_seed_gives_the_bytes_that_it_always_gave(void **state)
{
    char folder[] = "/tmp/affinity-generate-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(generate(folder, "7"), AFF_EXIT_OK);
    bool same = true;
    for (int i = 0; i < FILES; i++) {
        uint64_t digest = digest_of(folder, files[i]);
        same = same && digest == digests[i];
        if (digest != digests[i])
            print_message("%s: 0x%016llx\n", files[i], (unsigned long long)digest);
    }
    assert_true(same);
    remove_folder(folder);
}

static void another_seed_gives_other_orders(void **state)
{
    char folder[] = "/tmp/affinity-generate-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(generate(folder, "8"), AFF_EXIT_OK);
    for (int i = 0; i < FILES - 1; i++)
        assert_true(digest_of(folder, files[i]) != digests[i]);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_bytes_that_it_always_gave),
        cmocka_unit_test(another_seed_gives_other_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
