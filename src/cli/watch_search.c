#include "cli/watch_search.h"

#include "base/file.h"
#include "program/notation.h"

#include <errno.h>
#include <sys/stat.h>

static const struct pos no_pos;

static struct str printed(struct arena *arena, struct buf *out) {
    struct str text = str_dup(arena, buf_str(out));
    buf_release(out);
    return text;
}

/* The programs, rows and arguments of one run as a scenario of their own. */
static struct str run_as_txn(const struct watch_search *search, const struct run_setup *run, struct str base_id) {
    struct arena *arena = search->arena;
    struct txn_scenario scenario = {.schema = *run->schema};
    struct txn_run as_run = {0};
    for (size_t i = 0; i < run->setup_count; i++)
        VEC_PUSH(arena, &scenario.setup, run->setup[i]);
    for (size_t i = 0; i < run->session_count; i++) {
        size_t number = 0;
        while (number < scenario.programs.count && scenario.programs.items[number] != run->sessions[i].program)
            number++;
        if (number == scenario.programs.count)
            VEC_PUSH(arena, &scenario.programs, (struct txn_program *)run->sessions[i].program);
        struct txn_session session = {.program = (uint16_t)number};
        for (size_t k = 0; k < run->sessions[i].program->param_count; k++)
            VEC_PUSH(arena, &session.args, run->sessions[i].args[k]);
        VEC_PUSH(arena, &as_run.sessions, session);
    }
    VEC_PUSH(arena, &scenario.runs, as_run);
    struct buf out = {0};
    buf_printf(&out, "-- %.*s, recalled from traffic. lostwrite prove FILE shows how the write is lost.\n", STR_ARG(base_id));
    txn_print(&scenario, run->pool, SQL_POSTGRESQL, &out);
    return printed(arena, &out);
}

/* The witness as a spec of PostgreSQL's isolation tester: its statements, with their values, in its order. */
static struct str witness_as_spec(const struct watch_search *search, const struct finding *finding,
                                  const struct run_setup *run) {
    struct buf out = {0}, sessions[DB_SESSIONS_MAX] = {{0}}, order = {0};
    size_t count = 0;
    for (size_t i = 0; i < finding->witness.steps.count; i++) {
        const struct witness_step *step = &finding->witness.steps.items[i];
        for (size_t k = 0; k < step->lines.count; k++) {
            const struct witness_line *line = &step->lines.items[k];
            bool is_sql = line->kind <= RAN_ROLLBACK_TO && !line->is_resumed && line->event != NULL;
            if (!is_sql || step->session >= run->session_count)
                continue;
            char name = (char)('a' + step->session);
            buf_printf(&sessions[step->session], "step %c%zu { %.*s; }\n", name, ++count, STR_ARG(line->event->sql));
            buf_printf(&order, " %c%zu", name, count);
        }
    }
    buf_printf(&out, "# %s %s\nsetup\n{\n", rule_code(finding->rule), rule_name(finding->rule));
    schema_print(run->schema, run->pool, &out);
    for (size_t i = 0; i < run->setup_count; i++) {
        sql_print(run->setup[i], run->pool, SQL_POSTGRESQL, &out);
        buf_add_c(&out, ";\n");
    }
    buf_add_c(&out, "}\nteardown\n{\n");
    for (size_t i = 0; i < run->schema->tables.count; i++) {
        buf_add_c(&out, "DROP TABLE ");
        sql_print_name(run->schema->tables.items[i]->name, SQL_POSTGRESQL, &out);
        buf_add_c(&out, ";\n");
    }
    buf_add_c(&out, "}\n");
    for (size_t i = 0; i < run->session_count; i++) {
        buf_printf(&out, "session %c\n", (char)('A' + i));
        buf_add(&out, buf_str(&sessions[i]));
        buf_release(&sessions[i]);
    }
    buf_printf(&out, "permutation%.*s\n", STR_ARG(buf_str(&order)));
    buf_release(&order);
    return printed(search->arena, &out);
}

static void keep_run(void *context, const struct finding *finding, const struct run_setup *run,
                     const struct schedule *schedule) {
    (void)schedule;
    struct watch_search *search = context;
    struct shown_run shown = {.base_id = finding_base_id(search->arena, finding)};
    shown.txn = run_as_txn(search, run, shown.base_id);
    shown.spec = witness_as_spec(search, finding, run);
    VEC_PUSH(search->arena, &search->runs, shown);
}

bool watch_search(struct watch_search *search, struct str text, const struct watch_programs *programs,
                  const struct target *target, struct err *err) {
    struct arena *arena = search->arena;
    search->text = text;
    text_pool_init(&search->pool, arena);
    /* What is assigned and not sent is not told by traffic: a program is made to send it. */
    search->find = (struct find_options){.on_finding = keep_run, .finding_context = search, .rules = ~(1u << RULE_NEVER_SAVED)};
    target_configs(target, NULL, &search->find);
    if (!txn_parse(arena, &search->pool, STR("(traffic)"), text, SQL_POSTGRESQL, &search->scenario, err))
        return false;
    search->program_count = search->scenario->programs.count;
    struct subject *subjects = ARENA_ARRAY(arena, struct subject, search->program_count + 1);
    for (size_t i = 0; i < search->program_count; i++)
        subjects[i] = (struct subject){.program = search->scenario->programs.items[i],
                                       .symbol = search->scenario->programs.items[i]->name,
                                       .assumption = programs->assumptions.items[i],
                                       .has_code = true};
    find_all(arena, &search->scenario->schema, &search->pool, subjects, search->program_count, &search->find,
             &search->findings, &search->stats);
    findings_rank(&search->findings);
    if (!search->is_pedantic)
        search->assumed_count = findings_drop_assumed(&search->findings);
    findings_set_ids(arena, &search->findings);
    return true;
}

/* The programs' own text, or a file of the project if it is here. */
static struct str source_of(void *context, struct str path) {
    struct watch_search *search = context;
    struct str text = {0};
    struct err err;
    if (str_is(path, "(traffic)"))
        return search->text;
    if (path.len > 0 && path.ptr[0] != '/' && file_read(search->arena, str_to_c(search->arena, path), &text, &err))
        return text;
    return (struct str){0};
}

void watch_search_report(struct watch_search *search, struct report *report) {
    report->schema = &search->scenario->schema;
    report->pool = &search->pool;
    report->findings = &search->findings;
    report->policies = search->find.policies;
    report->source = source_of;
    report->source_context = search;
    report->summary.program_count = search->program_count;
    report->summary.assumed_count = search->assumed_count;
    report_on_search(search->arena, &search->stats, report);
}

static struct shown_run *run_of(struct watch_search *search, const struct finding *finding) {
    struct str base_id = finding_base_id(search->arena, finding);
    for (size_t i = 0; i < search->runs.count; i++)
        if (!search->runs.items[i].is_taken && str_equal(search->runs.items[i].base_id, base_id))
            return &search->runs.items[i];
    return NULL;
}

bool watch_emit(struct watch_search *search, const char *folder, size_t *count, struct err *err) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return err_set(err, no_pos, "%s: %s", folder, strerror(errno));
    *count = 0;
    for (size_t i = 0; i < search->findings.items.count; i++) {
        const struct finding *finding = &search->findings.items.items[i];
        struct shown_run *run = run_of(search, finding);
        if (run == NULL)
            continue;
        run->is_taken = true;
        struct str base = str_printf(search->arena, "%s/%.*s", folder, STR_ARG(finding->id));
        if (!file_write(str_printf(search->arena, "%.*s.txn", STR_ARG(base)).ptr, run->txn, err) ||
            !file_write(str_printf(search->arena, "%.*s.spec", STR_ARG(base)).ptr, run->spec, err))
            return false;
        ++*count;
    }
    return true;
}
