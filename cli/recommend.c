/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl recommend: the recommender without HTTP, for one question or for a file of them. */
#include "cli/command.h"
#include "cli/recommend/batch.h"
#include "cli/recommend/method.h"
#include "cli/recommend/options.h"
#include "cli/recommend/show.h"
#include "config/blend.h"
#include "config/traces.h"
#include "sql/load/model.h"

#include <inttypes.h>
#include <stdlib.h>

static int fail(const struct aff_error *error)
{
    return aff_settings_fail("recommend", error);
}

static int answer_one(const struct aff_recommend_options *options, const struct aff_model *model,
                      const struct aff_blend *blend)
{
    struct aff_workspace *workspace = NULL;
    struct aff_json json = {0};
    struct aff_error error;
    int result = AFF_EXIT_OK;
    struct aff_answer *answer = malloc(sizeof *answer);
    aff_status status = answer == NULL ? AFF_NOMEM : aff_workspace_new(&workspace);

    if (status == AFF_OK)
        status = aff_recommend(model, blend, workspace, &options->request, answer);
    if (status != AFF_OK) {
        (void)aff_error_set(&error, status, "%s", aff_status_text(status));
        result = fail(&error);
    } else if (options->json) {
        aff_show_json(model, &options->request, answer, &json);
        (void)printf("%.*s\n", (int)json.size, json.bytes);
    } else {
        aff_show_table(model, &options->request, answer, stdout);
    }
    aff_json_done(&json);
    aff_workspace_free(workspace);
    free(answer);
    return result;
}

static int answer_batch(const struct aff_recommend_options *options, const struct aff_model *model,
                        const struct aff_blend *blend)
{
    struct aff_error error;
    uint64_t rejected;

    if (aff_recommend_batch(options, model, blend, stdout, &rejected, &error) != AFF_OK)
        return fail(&error);
    if (rejected == 0)
        return AFF_EXIT_OK;
    (void)fprintf(stderr, "affinityctl recommend: %" PRIu64 " lines were left out\n", rejected);
    return AFF_EXIT_PARTIAL;
}

static aff_status load(const struct aff_recommend_options *options, struct aff_model **ret_model,
                       struct aff_error *reterr)
{
    enum { MEGABYTE = 1 << 20 };
    const struct aff_settings *settings = &options->settings;
    struct aff_connection connection;
    const struct aff_load_bounds bounds = {.limit_bytes =
                                               (uint64_t)settings->config.memory_limit_mb * MEGABYTE,
                                           .traces = aff_config_traces(&settings->config)};
    aff_status status = aff_settings_connect(settings, &connection, reterr);

    if (status != AFF_OK)
        return status;
    status = aff_model_load(&connection, settings->config.store_name, &bounds, ret_model, reterr);
    if (status == AFF_OK && options->method_given)
        status = aff_model_score_by(&connection, &settings->config, options->method, *ret_model, reterr);
    aff_connection_close(&connection);
    return status;
}

/* Takes the sources out of configured and fitted weights. */
static void leave_out(unsigned without, struct aff_blend *blend, struct aff_model *model)
{
    for (int s = 0; s < AFF_SITUATION_MAX; s++) {
        for (int w = 0; w < AFF_WEIGHT_MAX; w++) {
            if (!(without >> w & 1))
                continue;
            *aff_weights_at(&blend->of[s], w) = 0;
            *aff_weights_at(&model->fitted.of[s], w) = 0;
        }
    }
}

static int run(struct aff_recommend_options *options)
{
    struct aff_model *model = NULL;
    struct aff_error error;

    if (aff_settings_load(&options->settings, &error) != AFF_OK)
        return fail(&error);
    struct aff_blend blend = aff_config_blend(&options->settings.config);
    int result;
    bool loaded = load(options, &model, &error) == AFF_OK;
    if (loaded)
        leave_out(options->without, &blend, model);
    if (!loaded)
        result = fail(&error);
    else if (options->batch == NULL)
        result = answer_one(options, model, &blend);
    else
        result = answer_batch(options, model, &blend);
    aff_model_free(model);
    return result;
}

int aff_command_recommend(int argc, char **argv)
{
    struct aff_recommend_options *options = malloc(sizeof *options);
    struct aff_error error;
    int result;

    if (options == NULL) {
        (void)aff_error_set(&error, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        return fail(&error);
    }
    if (aff_recommend_options_read(argc, argv, options, &error) != AFF_OK) {
        (void)fprintf(stderr, "affinityctl recommend: %s; see 'affinityctl recommend --help'\n", error.text);
        result = AFF_EXIT_USAGE;
    } else if (options->settings.help) {
        (void)fputs(aff_recommend_help, stdout);
        result = AFF_EXIT_OK;
    } else {
        result = run(options);
    }
    free(options);
    return result;
}
