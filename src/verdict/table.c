#include "verdict/policies.h"

#include "base/assert.h"

struct table_run {
    struct db_config configs[POLICY_COUNT];
    uint32_t wanted;
};

static bool is_innodb(const struct db_config *config) {
    return config->engine == ENGINE_MYSQL || config->engine == ENGINE_MARIADB;
}

/* Whether two configurations are alike but for what struct db_twin tells apart. */
static bool are_twins(const struct db_config *a, const struct db_config *b) {
    if (a->innodb_snapshot_isolation != b->innodb_snapshot_isolation)
        return false;
    if (is_innodb(a) && is_innodb(b))
        return a->isolation == b->isolation;
    return a->engine == ENGINE_POSTGRESQL && b->engine == ENGINE_POSTGRESQL;
}

/* The first policy of the table that `policy` is a twin of; itself if there is none. */
static int first_twin(const struct table_run *run, int policy) {
    for (int i = 0; i < policy; i++)
        if ((run->wanted & 1u << i) && are_twins(&run->configs[i], &run->configs[policy]))
            return i;
    return policy;
}

/* Who is asked about in the run of `policy`: another policy of the table whose first twin it is. */
static struct db_twin twin_of(const struct table_run *run, int policy) {
    for (int i = policy + 1; i < POLICY_COUNT; i++) {
        const struct db_config *config = &run->configs[i];
        if ((run->wanted & 1u << i) && first_twin(run, i) == policy)
            return (struct db_twin){config->engine, config->version, config->isolation, false};
    }
    return (struct db_twin){.differs = true};
}

/* Serial orders are shared between the levels of an engine. */
struct serial_table {
    struct arena arena;
    struct serial_orders orders[ENGINE_SQLITE + 1];
};

void judge_table(const struct run_setup *setup, const struct policies *policies, uint32_t wanted,
                 const struct judge_options *options, struct cell_verdict cells[POLICY_COUNT]) {
    struct table_run run = {.wanted = wanted};
    struct db_twin twins[POLICY_COUNT];
    struct search_room room = {0};
    struct serial_table serial = {0};
    struct judge_options with_room = *options;
    if (options->room == NULL)
        with_room.room = &room;
    for (size_t i = 0; i < LW_COUNT_OF(serial.orders); i++)
        serial.orders[i].arena = &serial.arena;
    for (int i = 0; i < POLICY_COUNT; i++) {
        run.configs[i] = policy_config(policies, (enum policy_id)i);
        if (!policy_is_there(policies, (enum policy_id)i))
            run.wanted &= ~(1u << i);
    }
    for (int i = 0; i < POLICY_COUNT; i++) {
        cells[i] = (struct cell_verdict){0};
        if (!(run.wanted & 1u << i))
            continue;
        int first = first_twin(&run, i);
        if (first != i && !twins[first].differs) {
            cells[i] = cells[first];
            continue;
        }
        struct arena scratch = {0};
        struct err err;
        struct db_config config = run.configs[i];
        twins[i] = twin_of(&run, i);
        config.twin = twins[i].differs ? NULL : &twins[i];
        with_room.serial = setup->server == NULL ? &serial.orders[config.engine] : NULL;
        if (!judge_cell(&scratch, setup, &config, &with_room, &cells[i], &err))
            cells[i] = (struct cell_verdict){.verdict = VERDICT_LIMIT};
        arena_release(&scratch);
    }
    arena_release(&serial.arena);
    search_room_release(&room);
}
