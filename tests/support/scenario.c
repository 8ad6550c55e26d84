#include "scenario.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool parse(struct scenario *scenario, struct str path, struct str text, struct err *err) {
    return txn_parse(&scenario->arena, &scenario->pool, path, text, SQL_POSTGRESQL, &scenario->txn,
                     err);
}

static void init(struct scenario *scenario) {
    *scenario = (struct scenario){0};
    text_pool_init(&scenario->pool, &scenario->arena);
}

static void fault(const struct err *err) {
    fail_msg("%s:%u:%u: %s", err->path, err->pos.line, err->pos.column, err->message);
}

bool scenario_try(struct scenario *scenario, struct str text, struct err *err) {
    init(scenario);
    if (parse(scenario, STR("test.txn"), str_dup(&scenario->arena, text), err))
        return true;
    scenario_release(scenario);
    return false;
}

void scenario_read(struct scenario *scenario, const char *text) {
    struct err err;
    if (!scenario_try(scenario, str_from_c(text), &err))
        fault(&err);
}

void scenario_load(struct scenario *scenario, const char *path) {
    struct str text;
    struct err err;
    init(scenario);
    if (!file_read(&scenario->arena, path, &text, &err) ||
        !parse(scenario, str_dup(&scenario->arena, str_from_c(path)), text, &err))
        fault(&err);
}

void scenario_release(struct scenario *scenario) {
    arena_release(&scenario->arena);
}

void scenario_setup(const struct scenario *scenario, size_t run, size_t session_count,
                    struct run_setup *setup) {
    const struct txn_scenario *txn = scenario->txn;
    assert_true(run < txn->runs.count);
    const struct txn_run *chosen = &txn->runs.items[run];
    *setup = (struct run_setup){.schema = &txn->schema,
                                .pool = (struct text_pool *)&scenario->pool,
                                .setup = txn->setup.items,
                                .setup_count = txn->setup.count,
                                .session_count =
                                    session_count > 0 ? session_count : chosen->sessions.count};
    for (size_t i = 0; i < setup->session_count; i++) {
        const struct txn_session *session = &chosen->sessions.items[i % chosen->sessions.count];
        setup->sessions[i] =
            (struct world_session){txn->programs.items[session->program], session->args.items};
    }
}
