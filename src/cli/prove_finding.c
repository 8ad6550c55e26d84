#include "cli/prove_finding.h"

#include "base/file.h"
#include "cli/config.h"
#include "cli/finding_file.h"
#include "cli/on_server.h"
#include "cli/project_run.h"
#include "cli/prove_options.h"

static const struct pos nowhere = {0, 0};

enum { SESSIONS = 2, STEPS_MAX = 20000000 }; /* check pairs two functions at most */

static bool is_hex(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
              (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return text.len > 0;
}

/* "LW003-1a2b3c4d", "LW003-1a2b3c4d-2". */
static bool is_id(struct str text) {
    size_t first = str_find(text, '-', 0);
    if (!str_starts(text, "LW") || first == text.len)
        return false;
    size_t second = str_find(text, '-', first + 1);
    return is_hex(str_sub(text, first + 1, second));
}

bool finding_input_read(struct str text, struct finding_input *input) {
    size_t colon = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ':')
            colon = i;
    if (is_id(text)) {
        input->id = text;
        return true;
    }
    if (colon == text.len || !str_ends(str_sub(text, 0, colon), ".py") ||
        !cli_number(str_sub(text, colon + 1, text.len), "line", 1, 10000000, &input->line, NULL))
        return false;
    input->path = str_sub(text, 0, colon);
    return true;
}

bool finding_input_is_given(const struct finding_input *input) {
    return input->id.len > 0 || input->line > 0;
}

struct replay {
    const struct prove_options *options;
    struct arena *arena;
    struct text_pool pool;
    struct config config;
    struct target target;
    struct target asked; /* by the options and the configuration */
    struct file_options files;
    struct on_server on;
    struct scope scope;
    struct find_options find;
    struct proof_options proof;
    VEC(struct proved_finding) proved;
    VEC(struct finding *) findings; /* copies, as they were when proved */
    bool has_failed;
    struct err err;
};

/* The id without the number that tells findings of the same base apart. */
static struct str base_of(struct str id) {
    size_t first = str_find(id, '-', 0);
    return str_sub(id, 0, first < id.len ? str_find(id, '-', first + 1) : id.len);
}

static bool is_meant(struct replay *r, const struct finding *finding) {
    const struct finding_input *input = &r->options->finding;
    if (!scope_has(&r->scope, finding->span.path))
        return false;
    if (input->line > 0)
        return finding->span.start.line == input->line;
    return str_equal(finding_base_id(r->arena, finding), base_of(input->id));
}

static bool replay_run(struct replay *r, const struct run_setup *run, uint32_t policies,
                       struct proof *proof) {
    struct arena scratch = {0};
    struct proof_options options = r->proof;
    options.policies &= policies;
    bool ok = proof_begin(&scratch, run, &options, NULL, proof, &r->err) &&
              proof_on_server(&scratch, run, r->on.server, &options, proof, &r->err);
    arena_release(&scratch);
    return ok;
}

static bool replay_all(struct replay *r, const struct finding *finding,
                       const struct run_setup *run) {
    size_t count = finding->fixes.items.count;
    struct proof *proof = ARENA_NEW(r->arena, struct proof);
    struct proof *fixes = ARENA_ARRAY(r->arena, struct proof, count);
    if (r->on.server == NULL && !on_server_open(&r->on, SESSIONS, &r->err))
        return false;
    if (!replay_run(r, run, UINT32_MAX, proof))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct fix *fix = &finding->fixes.items.items[i];
        uint32_t policies = 0;
        for (int k = 0; k < POLICY_COUNT; k++)
            policies |= fix->is_explored[k] ? 1u << k : 0;
        if (!replay_run(r, &fix->run, policies, &fixes[i]))
            return false;
    }
    VEC_PUSH(r->arena, &r->proved, (struct proved_finding){NULL, proof, fixes});
    struct finding *copy = ARENA_NEW(r->arena, struct finding);
    *copy = *finding;
    VEC_PUSH(r->arena, &r->findings, copy);
    return true;
}

/* The runs that show a finding are there only while it is made. */
static void on_finding(void *context, const struct finding *finding, const struct run_setup *run,
                       const struct schedule *schedule) {
    struct replay *r = context;
    (void)schedule;
    if (r->has_failed || !is_meant(r, finding))
        return;
    r->has_failed = !replay_all(r, finding, run);
}

/* Beside each proof the finding under its final id; those of the same base that were not meant fall out. */
static void match_findings(struct replay *r, const struct findings *findings) {
    size_t kept = 0;
    for (size_t i = 0; i < r->proved.count; i++) {
        const struct finding *was = r->findings.items[i];
        for (size_t k = 0; k < findings->items.count; k++) {
            const struct finding *is = &findings->items.items[k];
            if (is->rule != was->rule || is->span.start.line != was->span.start.line ||
                is->span.start.column != was->span.start.column ||
                !str_equal(is->span.path, was->span.path))
                continue;
            r->proved.items[i].finding = is;
            bool is_other = r->options->finding.id.len > 0 &&
                            !str_equal(is->id, r->options->finding.id);
            if (!is_other)
                r->proved.items[kept++] = r->proved.items[i];
            break;
        }
    }
    r->proved.count = kept;
}

static bool no_finding(struct replay *r, const struct findings *findings, struct err *err) {
    const struct finding_input *input = &r->options->finding;
    struct buf text = {0}, level = {0};
    for (size_t i = 0; i < r->find.config_count; i++) {
        buf_add_c(&level, i > 0 ? " or " : "");
        put_level(&r->find.configs[i], &level);
    }
    if (input->line > 0)
        buf_printf(&text, "no finding at line %u", input->line);
    else
        buf_printf(&text, "no finding %.*s", STR_ARG(input->id));
    buf_printf(&text, " that a schedule shows on %s", level.ptr);
    const char *before = "; there are ";
    for (size_t i = 0; i < findings->items.count && text.len < 180; i++) {
        const struct finding *finding = &findings->items.items[i];
        if (!finding->has_witness || !scope_has(&r->scope, finding->span.path))
            continue;
        buf_printf(&text, "%sline %u: %.*s", before, finding->span.start.line,
                   STR_ARG(finding->id));
        before = ", ";
    }
    err_set(err, nowhere, "%s", text.ptr);
    buf_release(&text);
    buf_release(&level);
    return err_in_file(err, input->path.len > 0 ? input->path : r->options->from);
}

static bool find_path(struct replay *r, struct str *path, struct err *err) {
    const struct prove_options *options = r->options;
    struct str text;
    *path = options->finding.path;
    if (options->finding.id.len == 0)
        return true;
    if (!file_read(r->arena, str_to_c(r->arena, options->from), &text, err))
        return false;
    return finding_file_path(r->arena, text, options->finding.id, path, err) ||
           err_in_file(err, options->from);
}

/* Finds what check finds. */
static bool configure(struct replay *r, struct str path, struct err *err) {
    const char *paths[] = {str_to_c(r->arena, path)};
    if (!config_load(r->arena, paths, 1, NULL, &r->config, err))
        return false;
    r->asked = r->options->target;
    target_take(&r->asked, &r->config.target);
    r->files = (struct file_options){.with_tests = r->config.with_tests,
                                     .with_migrations = r->config.with_migrations,
                                     .exclude = &r->config.exclude};
    return target_check(&r->asked, err);
}

/* Whether the server lost a write of some finding at the level that decides. */
static bool has_lost(const struct replay *r) {
    for (size_t i = 0; i < r->proved.count; i++)
        for (int k = 0; k < POLICY_COUNT; k++) {
            const struct proof_cell *cell = &r->proved.items[i].proof->cells[k];
            if (cell->is_run && cell->server.verdict == VERDICT_LOST &&
                policy_is((enum policy_id)k, &r->find.configs[0]))
                return true;
        }
    return false;
}

static enum cli_exit print_proved(struct replay *r, const struct django_project *project,
                                  const struct findings *findings) {
    struct report report = {.findings = findings,
                            .policies = r->find.policies,
                            .is_colored = color_wanted(r->options->color, stdout),
                            .width = terminal_width(stdout)};
    struct buf out = {0};
    const char *server = str_to_c(r->arena, r->on.name);
    report_on_project(r->arena, project, &r->pool, &r->scope, &report);
    if (r->options->format == PROVE_JSON)
        report_proved_json(&report, server, r->proved.items, r->proved.count, &out);
    else
        report_proved_text(&report, server, r->proved.items, r->proved.count, &out);
    return pipeline_print(&out, has_lost(r) ? CLI_FINDINGS : CLI_CLEAN);
}

/* What check would decide by, behind the server's own level: a finding that this server does not lose is to be replayed
 * all the same. */
static void add_configs(struct replay *r, const struct django_settings *settings) {
    struct find_options own = {0};
    target_configs(&r->asked, settings, &own);
    for (size_t i = 0; i < own.config_count; i++)
        if (own.configs[i].engine != r->on.engine &&
            r->find.config_count < sizeof(r->find.configs) / sizeof(r->find.configs[0]))
            r->find.configs[r->find.config_count++] = own.configs[i];
}

static void set_options(struct replay *r, struct django_project *project) {
    r->find = (struct find_options){.symbol_of = project_symbol,
                                    .symbol_context = project,
                                    .effect_kind = project_effect_kind,
                                    .on_finding = on_finding,
                                    .finding_context = r};
    target_configs(&r->target, &project->settings, &r->find);
    add_configs(r, &project->settings);
    r->proof = (struct proof_options){.all_schedules = r->options->all_schedules,
                                      .steps_max = r->options->all_schedules ? STEPS_MAX : 0,
                                      .policies = target_policies(&r->target, r->on.engine),
                                      .versions = r->find.policies,
                                      .on_progress = on_server_progress,
                                      .context = &r->on};
}

enum cli_exit prove_finding(const struct prove_options *options) {
    struct replay r = {.options = options, .arena = options->arena, .target = options->target};
    struct django_project *project;
    struct findings findings = {0};
    struct find_stats stats;
    struct str path;
    struct err err;
    text_pool_init(&r.pool, r.arena);
    if (!find_path(&r, &path, &err) || !configure(&r, path, &err) ||
        !on_server_find(r.arena, options->on, &r.target, &r.on, &err))
        return pipeline_print_error(&err);
    const char *paths[] = {str_to_c(r.arena, path)};
    if (!project_load(r.arena, &r.pool, paths, 1, &r.files, &r.scope, &project, &err))
        return pipeline_print_error(&err);
    set_options(&r, project);
    size_t count;
    struct subject *subjects =
        project_subjects(r.arena, &r.pool, project, target_dialect(&r.find), NULL, &count);
    find_all(r.arena, &project->schema, &r.pool, subjects, count, &r.find, &findings, &stats);
    struct err left;
    bool is_closed = on_server_close(&r.on, &left);
    if (!is_closed)
        pipeline_print_error(&left);
    if (r.has_failed)
        return pipeline_print_error(&r.err);
    if (!is_closed)
        return CLI_ERROR;
    match_findings(&r, &findings);
    if (r.proved.count == 0 && !no_finding(&r, &findings, &err))
        return pipeline_print_error(&err);
    return print_proved(&r, project, &findings);
}
