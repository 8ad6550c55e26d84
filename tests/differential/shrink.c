#include "shrink.h"

/* Leaves out steps [from, to) if it goes wrong without them. */
static bool try_without(struct trial *trial, size_t from, size_t to, shrink_check *check,
                        void *context) {
    struct trial_step *kept = trial->steps.items;
    size_t count = trial->steps.count;
    struct trial_step *fewer = ARENA_ARRAY(&trial->arena, struct trial_step, count);
    memcpy(fewer, kept, from * sizeof(kept[0]));
    memcpy(fewer + from, kept + to, (count - to) * sizeof(kept[0]));
    trial->steps.items = fewer;
    trial->steps.count = trial->steps.capacity = count - (to - from);
    if (check(context, trial))
        return true;
    trial->steps.items = kept;
    trial->steps.count = trial->steps.capacity = count;
    return false;
}

static bool shrink_steps(struct trial *trial, shrink_check *check, void *context) {
    bool has_shrunk = false;
    for (size_t length = (trial->steps.count + 1) / 2; length > 0; length /= 2)
        for (size_t end = trial->steps.count; end >= length && end > 0;) {
            bool left_out = end <= trial->steps.count &&
                            try_without(trial, end - length, end, check, context);
            has_shrunk = has_shrunk || left_out;
            end = end > length ? end - (left_out ? length : 1) : 0;
        }
    return has_shrunk;
}

/* Leaves out the rows of `insert into t values (...), (...)` one by one, but not the last. */
static bool shrink_rows(struct trial *trial, shrink_check *check, void *context) {
    bool has_shrunk = false;
    for (size_t t = 0; t < trial->rows.count; t++)
        for (size_t at = trial->rows.items[t].len; at-- > 0;) {
            struct str sql = trial->rows.items[t];
            if (at >= sql.len || sql.ptr[at] != '(')
                continue;
            size_t end = str_find(sql, ')', at) + 1;
            bool is_last = end >= sql.len, is_first = sql.ptr[at - 1] == ' ' && sql.ptr[at - 2] != ',';
            if (is_first && is_last)
                continue;
            struct str head = str_sub(sql, 0, is_last ? at - 2 : at);
            struct str tail = is_last ? STR("") : str_sub(sql, end + 2, sql.len);
            trial->rows.items[t] =
                str_printf(&trial->arena, "%.*s%.*s", STR_ARG(head), STR_ARG(tail));
            if (check(context, trial))
                has_shrunk = true;
            else
                trial->rows.items[t] = sql;
        }
    return has_shrunk;
}

void trial_shrink(struct trial *trial, shrink_check *check, void *context) {
    while (shrink_steps(trial, check, context))
        ;
    if (shrink_rows(trial, check, context))
        while (shrink_steps(trial, check, context))
            ;
}
