/* The extended protocol: what Parse, Bind, Describe and Close leave behind for Execute. */
#include "wire/postgresql.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>

static void prepared_release(struct pgwire_prepared *prepared) {
    if (--prepared->users > 0)
        return;
    buf_release(&prepared->sql);
    buf_release(&prepared->types);
    buf_release(&prepared->description);
    free(prepared);
}

static void release_prepared(struct named *entry) {
    prepared_release((struct pgwire_prepared *)(void *)entry);
}

static void release_portal(struct named *entry) {
    struct pgwire_portal *portal = (struct pgwire_portal *)(void *)entry;
    prepared_release(portal->prepared);
    buf_release(&portal->bind);
    buf_release(&portal->description);
    free(portal);
}

void pgwire_open_tables(struct pg *pg) {
    pg->prepared.bytes_max = pg->portals.bytes_max = WIRE_PREPARED_BYTES_MAX;
    pg->prepared.release = release_prepared;
    pg->portals.release = release_portal;
}

static struct pgwire_prepared *find_prepared(const struct pg *pg, struct str name) {
    return (struct pgwire_prepared *)(void *)named_get(&pg->prepared, name);
}

static struct pgwire_portal *find_portal(const struct pg *pg, struct str name) {
    return (struct pgwire_portal *)(void *)named_get(&pg->portals, name);
}

static void keep_parsed(struct pg *pg, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    struct str name = read_c_string(&reader);
    struct pgwire_prepared *prepared = mem_alloc(sizeof(*prepared));
    *prepared = (struct pgwire_prepared){.users = 1, .is_cut = ask->is_cut};
    buf_add(&prepared->sql, read_c_string(&reader));
    uint64_t count = read_be(&reader, 2);
    buf_add(&prepared->types, read_bytes(&reader, count * 4));
    named_put(&pg->prepared, name, &prepared->named,
              sizeof(*prepared) + prepared->sql.capacity + prepared->types.capacity);
}

void pgwire_parse_complete(struct wire_connection *c, struct pg *pg) {
    keep_parsed(pg, c->asked);
    wire_answered(c);
}

void pgwire_bind_complete(struct wire_connection *c, struct pg *pg) {
    const struct wire_ask *ask = c->asked;
    struct reader reader = reader_of(wire_ask_body(ask));
    struct str name = read_c_string(&reader);
    struct pgwire_prepared *prepared = find_prepared(pg, read_c_string(&reader));
    struct named *old = named_get(&pg->portals, name);
    if (prepared != NULL) {
        struct pgwire_portal *portal = mem_alloc(sizeof(*portal));
        *portal = (struct pgwire_portal){.prepared = prepared, .is_bind_cut = ask->is_cut};
        prepared->users++;
        buf_add(&portal->bind, wire_ask_body(ask));
        named_put(&pg->portals, name, &portal->named, sizeof(*portal) + portal->bind.capacity);
    } else if (old != NULL) {
        named_remove(&pg->portals, old);
    }
    wire_answered(c);
}

/* Close and Describe: 'S' or 'P', then a name. */
static struct str target_of(const struct wire_ask *ask, bool *is_portal) {
    struct reader reader = reader_of(wire_ask_body(ask));
    *is_portal = read_byte(&reader) == 'P';
    return read_c_string(&reader);
}

void pgwire_close_complete(struct wire_connection *c, struct pg *pg) {
    bool is_portal;
    struct str name = target_of(c->asked, &is_portal);
    struct named_table *table = is_portal ? &pg->portals : &pg->prepared;
    struct named *entry = named_get(table, name);
    if (entry != NULL)
        named_remove(table, entry);
    wire_answered(c);
}

static void keep(struct named_table *table, struct named *entry, struct buf *kept, struct str body) {
    size_t before = kept->capacity;
    buf_clear(kept);
    buf_add(kept, body);
    named_grow(table, entry, kept->capacity - before);
}

void pgwire_described_params(struct wire_connection *c, struct pg *pg, struct str body) {
    bool is_portal;
    struct str name = target_of(c->asked, &is_portal);
    struct pgwire_prepared *prepared = is_portal ? NULL : find_prepared(pg, name);
    if (prepared != NULL && body.len >= 2)
        keep(&pg->prepared, &prepared->named, &prepared->types, str_sub(body, 2, body.len));
}

void pgwire_described(struct wire_connection *c, struct pg *pg, struct str body) {
    bool is_portal;
    struct str name = target_of(c->asked, &is_portal);
    struct pgwire_portal *portal = is_portal ? find_portal(pg, name) : NULL;
    struct pgwire_prepared *prepared = is_portal ? NULL : find_prepared(pg, name);
    if (portal != NULL)
        keep(&pg->portals, &portal->named, &portal->description, body);
    else if (prepared != NULL)
        keep(&pg->prepared, &prepared->named, &prepared->description, body);
    wire_answered(c);
}

static struct pgwire_portal *executed_portal(const struct pg *pg, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    return find_portal(pg, read_c_string(&reader));
}

static bool name_prepared(struct pg *pg, const struct pgwire_prepared *prepared) {
    if (prepared == NULL)
        return false;
    pg->current.sql = wire_statement_add(&pg->current, buf_str(&prepared->sql));
    pg->current.is_cut = prepared->is_cut;
    return true;
}

static bool name_portal(struct pg *pg, const struct pgwire_portal *portal) {
    if (portal == NULL || !name_prepared(pg, portal->prepared))
        return false;
    pg->current.is_more = portal->was_run;
    return pgwire_add_params(pg, buf_str(&portal->bind), portal->is_bind_cut,
                         buf_str(&portal->prepared->types));
}

static bool name_parsed(struct pg *pg, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    read_c_string(&reader);
    pg->current.sql = wire_statement_add(&pg->current, read_c_string(&reader));
    pg->current.is_cut = ask->is_cut;
    return true;
}

static bool name_bound(struct pg *pg, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    read_c_string(&reader);
    const struct pgwire_prepared *prepared = find_prepared(pg, read_c_string(&reader));
    return name_prepared(pg, prepared) &&
           pgwire_add_params(pg, wire_ask_body(ask), ask->is_cut, buf_str(&prepared->types));
}

bool pgwire_name_statement(struct pg *pg, const struct wire_ask *ask) {
    bool is_portal;
    switch (ask->kind) {
    case PG_PARSE:
        return name_parsed(pg, ask);
    case PG_BIND:
        return name_bound(pg, ask);
    case PG_EXECUTE:
        return name_portal(pg, executed_portal(pg, ask));
    case PG_DESCRIBE: {
        struct str name = target_of(ask, &is_portal);
        return is_portal ? name_portal(pg, find_portal(pg, name))
                         : name_prepared(pg, find_prepared(pg, name));
    }
    default:
        return false;
    }
}

bool pgwire_begin_executed_rows(struct pg *pg, const struct wire_ask *ask) {
    const struct pgwire_portal *portal = executed_portal(pg, ask);
    if (portal == NULL)
        return false;
    if (portal->description.len > 0)
        return pgwire_begin_rows(pg, buf_str(&portal->description), (struct str){0});
    return portal->prepared->description.len > 0 && !portal->is_bind_cut &&
           pgwire_begin_rows(pg, buf_str(&portal->prepared->description), buf_str(&portal->bind));
}

void pgwire_note_run(struct pg *pg, const struct wire_ask *ask) {
    struct pgwire_portal *portal = executed_portal(pg, ask);
    if (portal != NULL)
        portal->was_run = true;
}
