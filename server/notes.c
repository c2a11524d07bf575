/* SPDX-License-Identifier: Apache-2.0 */
#include "server/notes.h"

static void format_time(int64_t at_us, char ret_text[AFF_TIME_TEXT])
{
    if (at_us == 0)
        ret_text[0] = '\0';
    else
        aff_time_format(at_us, ret_text);
}

const struct aff_note *aff_notes_of(struct aff_notes *notes, const struct aff_model *model)
{
    for (size_t i = 0; i < AFF_NOTES; i++) {
        const struct aff_note *note = &notes->at[i];
        if (note->model == model && note->version == model->version &&
            note->loaded_at_us == model->loaded_at_us)
            return note;
    }
    struct aff_note *note = &notes->at[notes->next++ % AFF_NOTES];
    note->model = model;
    note->version = model->version;
    note->loaded_at_us = model->loaded_at_us;
    note->half_life_days = (double)model->totals.half_life_s / 86400.0;
    format_time(model->built_at_us, note->built_at);
    format_time(model->totals.from_us, note->from);
    format_time(model->totals.to_us, note->to);
    return note;
}
