#include "watch/meaning.h"

#include <stdlib.h>

enum { SHAPES_MAX = 100000, SQL_SHOWN_MAX = 400 };

uint32_t names_add(struct names *names, struct str name) {
    void *found = map_get(&names->index, name);
    if (found != NULL)
        return (uint32_t)(uintptr_t)found;
    struct str copy = str_dup(names->arena, name);
    VEC_PUSH(names->arena, &names->items, copy);
    map_put(&names->index, copy, (void *)(uintptr_t)names->items.count);
    return (uint32_t)names->items.count;
}

struct str names_get(const struct names *names, uint32_t number) {
    return number == NO_NAME ? (struct str){0} : names->items.items[number - 1];
}

void meanings_init(struct meanings *meanings, struct arena *arena, struct names *names) {
    *meanings = (struct meanings){.arena = arena, .names = names, .slot_count = 1024};
    meanings->slots = arena_alloc_array(arena, meanings->slot_count, sizeof(*meanings->slots));
    text_pool_init(&meanings->pool, arena);
    meanings->too_many = (struct meaning){.kind = MEANS_UNKNOWN};
}

/* --- from the tree --- */

struct reading {
    struct meanings *meanings;
    struct meaning *meaning;
    const struct sql_shape *shape;
    const struct sql_stmt *stmt;
    const struct sql_source *sources; /* whose columns the names are */
    size_t source_count;
};

/* The literal that stands there: host `v7` is number 7, behind casts too. -1: it is computed. */
static int literal_of(const struct reading *reading, const struct sql_expr *expr) {
    while (expr->kind == SQL_CAST)
        expr = expr->args.items[0];
    if (expr->kind != SQL_HOST)
        return -1;
    struct str name = reading->stmt->hosts.items[expr->host].name;
    int number = 0;
    for (size_t i = 1; i < name.len; i++)
        number = number * 10 + (name.ptr[i] - '0');
    return number;
}

/* The table that a column's qualifier names; NO_NAME if it can't be told. */
static uint32_t table_of(const struct reading *reading, const struct sql_expr *column) {
    for (size_t i = 0; i < reading->source_count; i++) {
        const struct sql_source *source = &reading->sources[i];
        struct str name = source->alias.len > 0 ? source->alias : source->table;
        bool is_it = column->qualifier.len > 0 ? str_equal_nocase(name, column->qualifier)
                                               : reading->source_count == 1;
        if (is_it)
            return source->table.len > 0 ? names_add(reading->meanings->names, source->table) : NO_NAME;
    }
    return NO_NAME;
}

static bool has_column(const struct sql_expr *expr) {
    if (expr->kind == SQL_COLUMN)
        return true;
    if (expr->select != NULL)
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (has_column(expr->args.items[i]))
            return true;
    return false;
}

static void add_where(struct reading *reading, const struct sql_expr *column, const struct sql_expr *value,
                      bool is_list) {
    int literal = literal_of(reading, value);
    uint32_t table = table_of(reading, column);
    if (literal < 0 || table == NO_NAME) {
        reading->meaning->is_exact = false;
        return;
    }
    VEC_PUSH(reading->meanings->arena, &reading->meaning->where,
             (struct meant_column){.table = table,
                                   .column = names_add(reading->meanings->names, column->name),
                                   .literal = literal,
                                   .is_list = is_list});
}

/* Equalities of a conjunction; whatever else there is leaves it inexact. */
static void read_where(struct reading *reading, const struct sql_expr *where) {
    if (where == NULL)
        return;
    if (where->kind == SQL_BINARY && where->op == SQL_OP_AND) {
        read_where(reading, where->args.items[0]);
        read_where(reading, where->args.items[1]);
    } else if (where->kind == SQL_BINARY && where->op == SQL_OP_EQ) {
        const struct sql_expr *left = where->args.items[0], *right = where->args.items[1];
        if (left->kind == SQL_COLUMN)
            add_where(reading, left, right, false);
        else if (right->kind == SQL_COLUMN)
            add_where(reading, right, left, false);
        else
            reading->meaning->is_exact = false;
    } else if (where->kind == SQL_IN && !where->is_negated && where->select == NULL &&
               where->args.count == 2 && where->args.items[0]->kind == SQL_COLUMN) {
        add_where(reading, where->args.items[0], where->args.items[1], true);
    } else {
        reading->meaning->is_exact = false;
    }
}

static void read_items(struct reading *reading, const struct sql_item *items, size_t count) {
    struct meaning *meaning = reading->meaning;
    for (size_t i = 0; i < count; i++) {
        struct meant_item item = {0};
        if (items[i].expr == NULL) {
            meaning->is_star = true;
            return;
        }
        if (items[i].expr->kind == SQL_COLUMN) {
            item.table = table_of(reading, items[i].expr);
            item.column = names_add(reading->meanings->names, items[i].expr->name);
        }
        VEC_PUSH(reading->meanings->arena, &meaning->items, item);
    }
}

static bool is_aggregate(const struct sql_expr *expr) {
    if (expr == NULL)
        return false;
    if (expr->kind == SQL_CALL && (expr->is_star || sql_is_aggregate(expr)))
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (is_aggregate(expr->args.items[i]))
            return true;
    return false;
}

static void read_select(struct reading *reading, const struct sql_select *select) {
    struct meaning *meaning = reading->meaning;
    reading->sources = select->sources.items;
    reading->source_count = select->sources.count;
    meaning->kind = select->sources.count > 0 ? MEANS_READ : MEANS_NOTHING;
    for (size_t i = 0; i < select->sources.count; i++) {
        uint32_t table = select->sources.items[i].table.len > 0
                             ? names_add(reading->meanings->names, select->sources.items[i].table)
                             : NO_NAME;
        VEC_PUSH(reading->meanings->arena, &meaning->tables, table);
        if (i == 0)
            meaning->table = table;
    }
    meaning->is_locking = select->lock >= SQL_LOCK_SHARE;
    meaning->is_group = select->is_distinct || select->group_by.count > 0 || select->having != NULL;
    for (size_t i = 0; i < select->items.count; i++)
        meaning->is_group |= is_aggregate(select->items.items[i].expr);
    meaning->is_exact = true;
    read_where(reading, select->where);
    read_items(reading, select->items.items, select->items.count);
}

static void read_set(struct reading *reading, struct str column, const struct sql_expr *value) {
    VEC_PUSH(reading->meanings->arena, &reading->meaning->set,
             (struct meant_column){.table = reading->meaning->table,
                                   .column = names_add(reading->meanings->names, column),
                                   .literal = literal_of(reading, value),
                                   .is_own = has_column(value)});
}

static void read_target(struct reading *reading, const struct sql_source *target) {
    reading->sources = target;
    reading->source_count = 1;
    reading->meaning->table = names_add(reading->meanings->names, target->table);
    reading->meaning->is_exact = true;
}

static void read_update(struct reading *reading, const struct sql_update *update) {
    reading->meaning->kind = MEANS_UPDATE;
    read_target(reading, &update->target);
    for (size_t i = 0; i < update->set.count; i++)
        read_set(reading, update->set.items[i].column, update->set.items[i].value);
    read_where(reading, update->where);
    if (update->from.count > 0 || update->limit != NULL)
        reading->meaning->is_exact = false;
}

static void read_delete(struct reading *reading, const struct sql_delete *delete_) {
    reading->meaning->kind = MEANS_DELETE;
    read_target(reading, &delete_->target);
    read_where(reading, delete_->where);
    if (delete_->using_sources.count > 0 || delete_->limit != NULL)
        reading->meaning->is_exact = false;
}

static void read_insert(struct reading *reading, const struct sql_insert *insert) {
    struct meaning *meaning = reading->meaning;
    meaning->kind = MEANS_INSERT;
    meaning->table = names_add(reading->meanings->names, insert->table);
    meaning->is_one = insert->rows.count == 1 && insert->columns.count == insert->column_count &&
                      insert->conflict == SQL_CONFLICT_ERROR;
    for (size_t i = 0; meaning->is_one && i < insert->column_count; i++)
        read_set(reading, insert->columns.items[i], insert->rows.items[0][i]);
    const struct sql_source self = {.table = insert->table};
    reading->sources = &self;
    reading->source_count = 1;
    read_items(reading, reading->stmt->returning.items, reading->stmt->returning.count);
}

static void read_transaction(struct reading *reading, const struct sql_transaction *transaction) {
    reading->meaning->savepoint = transaction->savepoint;
    reading->meaning->isolation = transaction->isolation;
    reading->meaning->is_session = transaction->is_session;
}

static void read_setting(struct reading *reading, const struct sql_set *set) {
    struct meaning *meaning = reading->meaning;
    if (str_is(set->name, "autocommit")) {
        meaning->kind = MEANS_AUTOCOMMIT;
        meaning->literal = set->value != NULL ? literal_of(reading, set->value) : -1;
        /* A bare word is no literal of the shape: `off`. */
        if (set->value != NULL && set->value->kind == SQL_LITERAL && set->value->literal.kind == VALUE_TEXT)
            meaning->is_off =
                str_equal_nocase(text_pool_get(&reading->meanings->pool, set->value->literal.number), STR("off"));
    }
}

static void read_tree(struct reading *reading) {
    const struct sql_stmt *stmt = reading->stmt;
    struct meaning *meaning = reading->meaning;
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        read_select(reading, stmt->select);
        break;
    case SQL_STMT_INSERT:
        read_insert(reading, stmt->insert);
        break;
    case SQL_STMT_UPDATE:
        read_update(reading, stmt->update);
        break;
    case SQL_STMT_DELETE:
        read_delete(reading, stmt->delete_);
        break;
    case SQL_STMT_BEGIN:
        meaning->kind = MEANS_BEGIN;
        read_transaction(reading, stmt->transaction);
        break;
    case SQL_STMT_COMMIT:
        meaning->kind = MEANS_COMMIT;
        break;
    case SQL_STMT_ROLLBACK:
        meaning->kind = MEANS_ROLLBACK;
        break;
    case SQL_STMT_SAVEPOINT:
        meaning->kind = MEANS_SAVEPOINT;
        read_transaction(reading, stmt->transaction);
        break;
    case SQL_STMT_RELEASE:
        meaning->kind = MEANS_RELEASE;
        read_transaction(reading, stmt->transaction);
        break;
    case SQL_STMT_ROLLBACK_TO:
        meaning->kind = MEANS_ROLLBACK_TO;
        read_transaction(reading, stmt->transaction);
        break;
    case SQL_STMT_SET_TRANSACTION:
        meaning->kind = MEANS_ISOLATION;
        read_transaction(reading, stmt->transaction);
        break;
    case SQL_STMT_SET:
        read_setting(reading, stmt->set);
        break;
    case SQL_STMT_PREPARE_TRANSACTION:
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
    case SQL_STMT_LOCK_TABLE:
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        break;
    }
}

/* The word that stands there, and in `at` where it ends. */
static struct str next_word(struct str text, size_t *at) {
    while (*at < text.len && (text.ptr[*at] == ' ' || text.ptr[*at] == '(' || text.ptr[*at] == '\n'))
        ++*at;
    size_t start = *at;
    while (*at < text.len && ((text.ptr[*at] | 0x20) >= 'a' && (text.ptr[*at] | 0x20) <= 'z'))
        ++*at;
    return str_sub(text, start, *at);
}

static bool is_one_of(struct str word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(word, str_from_c(words[i])))
            return true;
    return false;
}

/* Those of MySQL and MariaDB that commit what is open before they run ("Statements That Cause an Implicit Commit"); BEGIN and SET
 * autocommit have meanings of their own. */
static bool commits_open(struct str text) {
    static const char *const words[] = {
        "ALTER", "ANALYZE", "CACHE", "CHANGE", "CHECK", "CREATE", "DROP", "FLUSH", "GRANT", "INSTALL", "LOCK",
        "OPTIMIZE", "RENAME", "REPAIR", "RESET", "REVOKE", "STOP", "TRUNCATE", "UNINSTALL"};
    size_t at = 0;
    struct str first = next_word(text, &at), second = next_word(text, &at);
    bool is_alone = is_one_of(first, words, sizeof(words) / sizeof(words[0]));
    if (is_alone)
        return !str_equal_nocase(second, STR("TEMPORARY"));
    return (str_equal_nocase(first, STR("SET")) && str_equal_nocase(second, STR("PASSWORD"))) ||
           (str_equal_nocase(first, STR("LOAD")) && str_equal_nocase(second, STR("INDEX"))) ||
           (str_equal_nocase(first, STR("START")) &&
            (str_equal_nocase(second, STR("SLAVE")) || str_equal_nocase(second, STR("REPLICA"))));
}

/* SET [SESSION | LOCAL] search_path, RESET search_path. */
static bool is_path(struct str text) {
    size_t at = 0;
    struct str word = next_word(text, &at);
    if (!str_equal_nocase(word, STR("SET")) && !str_equal_nocase(word, STR("RESET")))
        return false;
    word = next_word(text, &at);
    if (str_equal_nocase(word, STR("SESSION")) || str_equal_nocase(word, STR("LOCAL")))
        word = next_word(text, &at);
    return str_equal_nocase(word, STR("search")) && str_equal_nocase(str_sub(text, at, text.len < at + 5 ? text.len : at + 5), STR("_path"));
}

/* Statements that the parser need not know, for they touch no row that an application writes. */
static bool is_idle(struct str text) {
    static const char *const words[] = {
        "SHOW",  "SET",    "USE",      "PREPARE", "DEALLOCATE", "DISCARD", "ANALYZE", "VACUUM",
        "CREATE", "ALTER", "DROP",     "GRANT",   "REVOKE",     "COMMENT", "EXPLAIN", "LISTEN",
        "UNLISTEN", "NOTIFY", "RESET", "FETCH",   "CLOSE",      "DECLARE", "CHECKPOINT", "KILL",
        "FLUSH", "DESCRIBE", "DESC",   "REINDEX", "OPTIMIZE",   "PING"};
    size_t at = 0;
    struct str word = next_word(text, &at);
    return is_one_of(word, words, sizeof(words) / sizeof(words[0])) || (word.len == 0 && at == text.len);
}

/* The shape with `?` for its literals, for people. */
static struct str shown(struct arena *arena, const struct sql_shape *shape, struct str text) {
    struct buf out = {0};
    size_t at = 0;
    for (size_t i = 0; i < shape->literals.count && out.len < SQL_SHOWN_MAX; i++) {
        const struct sql_literal *literal = &shape->literals.items[i];
        if (!literal->is_member) {
            buf_add(&out, str_sub(text, at, literal->start));
            buf_add_char(&out, '?');
        }
        at = literal->end;
    }
    if (out.len < SQL_SHOWN_MAX)
        buf_add(&out, str_sub(text, at, text.len));
    struct str all = buf_str(&out);
    struct str result = all.len > SQL_SHOWN_MAX
                            ? str_printf(arena, "%.*s...", SQL_SHOWN_MAX, all.ptr)
                            : str_dup(arena, all);
    buf_release(&out);
    return result;
}

static struct meaning *make(struct meanings *meanings, const struct sql_shape *shape, struct str text,
                            enum sql_dialect dialect) {
    struct meaning *meaning = arena_alloc(meanings->arena, sizeof(*meaning));
    meaning->dialect = dialect;
    meaning->hash[0] = shape->hash[0];
    meaning->hash[1] = shape->hash[1];
    meaning->sql = shown(meanings->arena, shape, text);
    meaning->commits = dialect == SQL_MYSQL && commits_open(text);
    struct buf template = {0};
    sql_shape_template(shape, text, &template);
    struct str source = str_dup(meanings->arena, buf_str(&template));
    buf_release(&template);
    struct sql_stmt *stmt;
    struct err err = {0};
    if (shape->is_broken) {
        meaning->kind = MEANS_UNKNOWN;
        meaning->reason = STR("a quote or comment is not closed");
    } else if (dialect == SQL_POSTGRESQL && is_path(text)) {
        meaning->kind = MEANS_PATH;
    } else if (sql_parse(meanings->arena, &meanings->pool, source, (struct pos){1, 1}, dialect, &stmt, &err)) {
        meaning->stmt = stmt;
        struct reading reading = {meanings, meaning, shape, stmt, NULL, 0};
        read_tree(&reading);
    } else if (is_idle(text)) {
        meaning->kind = MEANS_NOTHING;
    } else {
        meaning->kind = MEANS_UNKNOWN;
        meaning->reason = str_dup(meanings->arena, str_from_c(err.message));
    }
    return meaning;
}

static void grow(struct meanings *meanings) {
    size_t count = meanings->slot_count * 2;
    struct meaning **slots = arena_alloc_array(meanings->arena, count, sizeof(*slots));
    for (size_t i = 0; i < meanings->slot_count; i++) {
        struct meaning *meaning = meanings->slots[i];
        if (meaning == NULL)
            continue;
        size_t at = meaning->hash[0] & (count - 1);
        while (slots[at] != NULL)
            at = (at + 1) & (count - 1);
        slots[at] = meaning;
    }
    meanings->slots = slots;
    meanings->slot_count = count;
}

struct meaning *meaning_of(struct meanings *meanings, const struct sql_shape *shape, struct str text,
                           enum sql_dialect dialect) {
    size_t at = shape->hash[0] & (meanings->slot_count - 1);
    for (; meanings->slots[at] != NULL; at = (at + 1) & (meanings->slot_count - 1)) {
        struct meaning *meaning = meanings->slots[at];
        if (meaning->hash[0] == shape->hash[0] && meaning->hash[1] == shape->hash[1])
            return meaning;
    }
    if (meanings->count == SHAPES_MAX)
        return &meanings->too_many;
    struct meaning *meaning = make(meanings, shape, text, dialect);
    meanings->slots[at] = meaning;
    if (++meanings->count * 2 > meanings->slot_count)
        grow(meanings);
    return meaning;
}
