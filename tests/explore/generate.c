#include "generate.h"

#include <stdarg.h>

enum { DEPTH_MAX = 3, STATEMENTS_MAX = 5 };

/* Which variables of a kind are set at this place. Names are fixed, so that a name has one kind. */
struct known {
    bool x, y, rows, n, m, ids; /* rows of t, row of u, rows of t, scalars, list */
};

struct generator {
    uint64_t random;
    struct buf *out;
    int depth;      /* of blocks, for the indent */
    int statements; /* still to be written */
    struct known known;
    bool in_atomic, in_handler, in_loop;
};

static unsigned pick(struct generator *g, unsigned count) {
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return (unsigned)(g->random >> 33) % count;
}

static bool chance(struct generator *g, unsigned percent) {
    return pick(g, 100) < percent;
}

#define ONE_OF(g, ...)                                                                             \
    ((const char *[]){                                                                             \
        __VA_ARGS__}[pick(g, (unsigned)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))])

static void line(struct generator *g, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line(struct generator *g, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (text[0] == '}')
        g->depth--;
    buf_add_repeat(g->out, ' ', 4 * (size_t)g->depth);
    buf_printf(g->out, "%s\n", text);
    if (text[0] != '\0' && text[strlen(text) - 1] == '{')
        g->depth++;
}

/* ---- the parts of a statement ---- */

static int key(struct generator *g) {
    return chance(g, 70) ? 1 : 1 + (int)pick(g, 4);
}

/* An expression of the program's, as SQL takes it. */
static const char *host(struct generator *g) {
    if (g->known.n && chance(g, 40))
        return ":n";
    if (g->known.x && chance(g, 40))
        return ONE_OF(g, ":x.a", ":x.b");
    return ONE_OF(g, ":p", ":p", "7", "0", "NULL");
}

static const char *where_t(struct generator *g) {
    return ONE_OF(g, "id = 1", "id = 1", "id = 1", "id = :p", "id = 2", "id = 4", "id >= 2",
                  "id IN (1, 3)", "a > 3", "b = 1", "b IS NULL", "id = 1 AND a < 9",
                  "id BETWEEN 2 AND 6", "a = 1 OR b = 1", "true");
}

static const char *where_u(struct generator *g) {
    return ONE_OF(g, "t_id = 1", "t_id = 1", "t_id = :p", "k = 5", "k = 6", "k > 5", "id = 1",
                  "t_id = 1 AND k >= 5", "true");
}

static const char *lock(struct generator *g) {
    return chance(g, 55) ? ""
                         : ONE_OF(g, " FOR UPDATE", " FOR UPDATE", " FOR UPDATE", " FOR SHARE",
                                  " FOR NO KEY UPDATE", " FOR KEY SHARE", " FOR UPDATE NOWAIT",
                                  " FOR UPDATE SKIP LOCKED");
}

static const char *number(struct generator *g) {
    if (g->known.x && chance(g, 50))
        return ONE_OF(g, "x.a + 1", "x.a * 2", "x.b", "x.a");
    if (g->known.n && chance(g, 50))
        return ONE_OF(g, "n", "n + p", "0 - n");
    if (g->known.m && chance(g, 30))
        return "m";
    return ONE_OF(g, "p", "p + 1", "7", "now()", "shop.price(p)");
}

static const char *condition(struct generator *g) {
    if (g->known.x && chance(g, 50))
        return ONE_OF(g, "x is null", "x is not null", "x is not null and x.a > 3",
                      "x is not null and x.b is null");
    if (g->known.m && chance(g, 50))
        return ONE_OF(g, "m == 0", "m == 1");
    if (g->known.n && chance(g, 60))
        return ONE_OF(g, "n is null", "n == 1", "n != 0", "not n is null and n > 4");
    if (g->known.rows && chance(g, 50))
        return ONE_OF(g, "len(xs) > 1", "first(xs) is null");
    return ONE_OF(g, "p == 1", "p > 1", "true");
}

/* ---- statements ---- */

static void read_step(struct generator *g) {
    switch (pick(g, 9)) {
    case 0:
    case 1:
    case 2:
        line(g, "row x = SELECT id, a, b FROM t WHERE %s%s;", where_t(g), lock(g));
        g->known.x = true;
        return;
    case 3:
        line(g, "value n = SELECT %s FROM t WHERE %s;", ONE_OF(g, "SUM(a)", "COUNT(*)", "MAX(b)"),
             where_t(g));
        g->known.n = true;
        return;
    case 4:
        line(g, "value n = SELECT %s FROM u WHERE %s;", ONE_OF(g, "COUNT(*)", "SUM(k)"),
             where_u(g));
        g->known.n = true;
        return;
    case 5:
        line(g, "rows xs = SELECT id, a, b FROM t WHERE %s ORDER BY %s%s;", where_t(g),
             ONE_OF(g, "id", "id DESC", "a, id"), lock(g));
        g->known.rows = true;
        return;
    case 6:
        line(g, "list ids = SELECT id FROM t WHERE %s;", where_t(g));
        g->known.ids = true;
        return;
    case 7:
        line(g, "value n = SELECT a FROM t WHERE %s ORDER BY id LIMIT 1%s;", where_t(g), lock(g));
        g->known.n = true;
        return;
    default:
        line(g, "value n = SELECT %s;",
             ONE_OF(g, "COUNT(*) FROM u JOIN t ON u.t_id = t.id WHERE t.a > 1",
                    "COUNT(*) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)",
                    "pg_advisory_xact_lock(1)", "pg_advisory_lock(1)",
                    "pg_try_advisory_xact_lock(1)"));
        g->known.n = true;
    }
}

static void update_step(struct generator *g) {
    const char *count = chance(g, 40) ? "count m = " : "";
    switch (pick(g, 8)) {
    case 0:
    case 1:
        line(g, "%sUPDATE t SET a = a + %d WHERE %s;", count, 1 + (int)pick(g, 3), where_t(g));
        break;
    case 2:
        line(g, "%sUPDATE t SET %s = %s WHERE %s;", count, ONE_OF(g, "b", "b", "a"), host(g),
             where_t(g));
        break;
    case 3:
        line(g, "%sUPDATE t SET b = (SELECT COUNT(*) FROM u WHERE %s) WHERE id = %d;", count,
             where_u(g), key(g));
        break;
    case 4:
        line(g, "%sUPDATE u SET k = %s WHERE %s;", count, ONE_OF(g, "k + 1", "6", ":p"),
             where_u(g));
        break;
    case 5:
        line(g, "%sUPDATE t SET id = %d WHERE %s;", count, 3 + (int)pick(g, 3), where_t(g));
        break;
    case 6:
        if (g->known.ids) {
            line(g, "%sUPDATE t SET b = 9 WHERE id IN (:ids);", count);
            break;
        }
        /* fall through */
    default:
        if (!g->known.x) {
            line(g, "%sUPDATE t SET b = %s WHERE id = %d AND a = 1;", count, host(g), key(g));
            break;
        }
        line(g, "%s",
             ONE_OF(g, "count m = UPDATE t SET a = :x.a + 1 WHERE id = :x.id AND a = :x.a;",
                    "save count m = UPDATE t SET a = :x.a WHERE id = :x.id;",
                    "save count m = UPDATE t SET a = :x.a, b = :x.b WHERE id = :x.id;",
                    "save count m = UPDATE t SET a = :x.a, b = :x.b WHERE id = :x.id;"));
        g->known.m = true;
    }
    g->known.m |= count[0] != '\0';
}

static void insert_or_delete_step(struct generator *g) {
    switch (pick(g, 9)) {
    case 0:
        line(g, "INSERT INTO t (id, a, b) VALUES (%d, %s, 1);", 3 + (int)pick(g, 3),
             ONE_OF(g, ":p", "1", "4"));
        return;
    case 1:
        if (g->known.x) {
            line(g, "save INSERT INTO t (id, a, b) VALUES (:x.id, :x.a, :x.b);");
            return;
        }
        /* fall through */
    case 2:
    case 3:
        line(g, "INSERT INTO u (t_id, k) VALUES (%s, %s)%s;", ONE_OF(g, "1", "1", "2", "4", ":p"),
             ONE_OF(g, "5", "6", "6", ":p"), chance(g, 15) ? " ON CONFLICT DO NOTHING" : "");
        return;
    case 4:
        line(g, "y = new u(t_id = %d, k = %s);", key(g), ONE_OF(g, "5", "6", "p"));
        line(g, "key y.id = INSERT INTO u (t_id, k) VALUES (:y.t_id, :y.k);");
        g->known.y = true;
        return;
    case 5:
        line(g, "%s;", g->known.y ? "DELETE FROM u WHERE id = :y.id" : "DELETE FROM u WHERE k = 6");
        return;
    case 6:
        line(g, "count m = DELETE FROM u WHERE %s;", where_u(g));
        g->known.m = true;
        return;
    default:
        line(g, "DELETE FROM t WHERE %s;", where_t(g));
    }
}

/* A write that rests on a read: what the verdict is about. */
static void read_and_write(struct generator *g) {
    g->statements -= 2;
    switch (pick(g, 5)) {
    case 0:
        line(g, "value n = SELECT %s FROM u WHERE %s;", ONE_OF(g, "COUNT(*)", "SUM(k)"),
             where_u(g));
        line(g, "INSERT INTO u (t_id, k) VALUES (1, :n);");
        g->known.n = true;
        return;
    case 1:
        line(g, "value n = SELECT %s FROM t WHERE %s;", ONE_OF(g, "SUM(a)", "COUNT(*)", "MAX(a)"),
             where_t(g));
        line(g, "UPDATE t SET %s = :n WHERE id = %d;", ONE_OF(g, "a", "b"), key(g));
        g->known.n = true;
        return;
    default:
        line(g, "row x = SELECT id, a, b FROM t WHERE id = %s%s;", ONE_OF(g, "1", "1", ":p"),
             lock(g));
        g->known.x = true;
        line(g, "x.%s;",
             ONE_OF(g, "a = x.a + 1", "a = x.a + p", "b = p", "b = x.a", "a = 7", "a = sql(a + 1)",
                    "b = sql(a + b)"));
        line(g, "save count m = UPDATE t SET %s WHERE id = :x.id;",
             ONE_OF(g, "a = :x.a", "a = :x.a, b = :x.b", "a = :x.a, b = :x.b", "b = :x.b"));
        g->known.m = true;
        if (chance(g, 20)) {
            line(g, "if m == 0 {");
            line(g, "save INSERT INTO t (id, a, b) VALUES (:x.id, :x.a, :x.b);");
            line(g, "}");
            g->statements--;
        }
    }
}

static void statement(struct generator *g) {
    if (g->statements >= 2 && chance(g, 35)) {
        read_and_write(g);
        return;
    }
    g->statements--;
    unsigned kind = pick(g, 100);
    if (kind < 42)
        read_step(g);
    else if (kind < 78)
        update_step(g);
    else
        insert_or_delete_step(g);
}

/* ---- steps of the host ---- */

static void host_step(struct generator *g) {
    switch (pick(g, 10)) {
    case 0:
    case 1:
        if (g->known.x) {
            line(g, "x.%s = %s;", ONE_OF(g, "a", "a", "b"), number(g));
            return;
        }
        /* fall through */
    case 2:
        if (g->known.x) {
            line(g, "x.a = sql(a + %s);", ONE_OF(g, "1", ":p", "b"));
            return;
        }
        /* fall through */
    case 3:
        line(g, "n = %s;", number(g));
        g->known.n = true;
        return;
    case 4:
        if (chance(g, 30)) {
            line(g, "raise %s;", g->in_handler && chance(g, 50) ? "" : "Refused");
            return;
        }
        /* fall through */
    case 5:
        line(g, "effect \"mail\" (%s);", number(g));
        return;
    case 6:
        if (g->known.x && chance(g, 50)) {
            line(g, "reload x = SELECT id, %s FROM t WHERE id = :x.id%s;", ONE_OF(g, "a, b", "a"),
                 lock(g));
            g->statements--;
            return;
        }
        line(g, "effect \"charge\";");
        return;
    case 7:
        if (chance(g, 25)) {
            line(g, "return;");
            return;
        }
        /* fall through */
    case 8:
        if (g->in_loop && chance(g, 60)) {
            line(g, "%s;", ONE_OF(g, "break", "continue"));
            return;
        }
        /* fall through */
    default:
        if (chance(g, 20))
            line(g, "%s \"m\";", ONE_OF(g, "lock", "lock", "unlock"));
        else
            line(g, "effect \"mail\" (p);");
    }
}

static void steps(struct generator *g, int count);

/* The steps of a block; what is set in it is not known after it. */
static void body(struct generator *g, int count) {
    struct known before = g->known;
    steps(g, count);
    g->known = before;
}

static void try_step(struct generator *g) {
    bool in_handler = g->in_handler;
    line(g, "try {");
    body(g, 2);
    line(g, "} except%s {",
         ONE_OF(g, "", " IntegrityError", " OperationalError", " IntegrityError, OperationalError",
                " Refused"));
    g->in_handler = true;
    body(g, 1);
    g->in_handler = in_handler;
    if (chance(g, 15)) {
        line(g, "} finally {");
        body(g, 1);
    }
    line(g, "}");
}

static void loop_step(struct generator *g) {
    bool in_loop = g->in_loop;
    g->in_loop = true;
    if (g->known.rows && g->statements > 1) {
        line(g, "for x in xs {");
        struct known before = g->known;
        g->known.x = true;
        steps(g, 1);
        g->known = before;
        line(g, "save UPDATE t SET a = :x.a, b = :x.b WHERE id = :x.id;");
        g->statements -= 2;
        line(g, "}");
    } else {
        line(g, "repeat 2 {");
        int had = g->statements;
        g->statements = had / 2;
        body(g, 2);
        g->statements = had - 2 * (had / 2 - g->statements);
        line(g, "}");
    }
    g->in_loop = in_loop;
}

static void atomic_step(struct generator *g) {
    bool in_atomic = g->in_atomic;
    g->in_atomic = true;
    line(g, "atomic%s {",
         in_atomic ? ONE_OF(g, "", "", " without savepoint")
                   : ONE_OF(g, "", "", "", "", "", " isolation level serializable",
                            " isolation level repeatable read", " isolation level read committed"));
    body(g, 3);
    line(g, "}");
    g->in_atomic = in_atomic;
}

static void block_step(struct generator *g) {
    switch (pick(g, 9)) {
    case 0:
    case 1:
    case 2:
        line(g, "if %s {", condition(g));
        body(g, 2);
        if (chance(g, 30)) {
            line(g, "} else {");
            body(g, 1);
        }
        line(g, "}");
        return;
    case 3:
        try_step(g);
        return;
    case 4:
        loop_step(g);
        return;
    case 5:
        line(g, "with lock \"m\"%s {", ONE_OF(g, "", "", " (p)"));
        body(g, 2);
        line(g, "}");
        return;
    case 6:
        line(g, "%scall f {", ONE_OF(g, "", "n = "));
        body(g, 2);
        line(g, "}");
        return;
    default:
        atomic_step(g);
    }
}

static void steps(struct generator *g, int count) {
    for (int i = 0; i < count && g->statements > 0; i++) {
        unsigned kind = pick(g, 100);
        if (kind < 22 && g->depth <= DEPTH_MAX)
            block_step(g);
        else if (kind < 38)
            host_step(g);
        else
            statement(g);
    }
}

/* ---- the file ---- */

static void tables(struct generator *g) {
    bool refers = chance(g, 65);
    line(g, "CREATE TABLE t (id integer PRIMARY KEY, a integer NOT NULL, b integer%s);",
         ONE_OF(g, "", "", " UNIQUE"));
    line(g, "CREATE TABLE u (id serial PRIMARY KEY, t_id integer%s%s, k integer%s);",
         refers ? " REFERENCES t (id)" : "",
         refers && chance(g, 50) ? " DEFERRABLE INITIALLY DEFERRED" : "",
         chance(g, 50) ? " UNIQUE" : "");
    if (chance(g, 50))
        line(g, "CREATE INDEX u_t_id ON u (t_id);");
    if (chance(g, 30))
        line(g, "CREATE INDEX t_a ON t (a);");
    line(g, "INSERT INTO t (id, a, b) VALUES %s;",
         ONE_OF(g, "(1, 1, 1)", "(1, 1, NULL), (2, 5, 2)", "(1, 1, 1), (2, 5, NULL), (6, 3, 3)"));
    if (chance(g, 60))
        line(g, "INSERT INTO u (t_id, k) VALUES %s;", ONE_OF(g, "(1, 5)", "(1, 5), (NULL, 7)"));
}

static void program(struct generator *g, const char *name, int statements) {
    g->known = (struct known){0};
    g->in_atomic = g->in_handler = g->in_loop = false;
    g->statements = statements;
    line(g, "program %s(p) {", name);
    bool is_atomic = chance(g, 55);
    if (is_atomic) {
        g->in_atomic = true;
        line(g, "atomic {");
    }
    steps(g, statements + 3);
    while (g->statements > 0 && chance(g, 60))
        statement(g);
    if (g->known.n && chance(g, 50))
        line(g, "effect \"saw\" (n);");
    if (is_atomic)
        line(g, "}");
    line(g, "}");
}

void generate(uint64_t seed, struct buf *out) {
    struct generator g = {.random = seed * 0x9e3779b97f4a7c15u + 1, .out = out};
    for (int i = 0; i < 4; i++)
        pick(&g, 2);
    bool is_three = chance(&g, 25);
    int most = is_three ? 2 : STATEMENTS_MAX;
    tables(&g);
    bool is_pair = chance(&g, 55);
    program(&g, "f", 1 + (int)pick(&g, (unsigned)most));
    if (is_pair)
        program(&g, "g", 1 + (int)pick(&g, (unsigned)most));
    line(&g, "run f(%d) || %s(%d)%s;", key(&g), is_pair ? "g" : "f", key(&g),
         is_three ? ONE_OF(&g, " || f(1)", " || f(2)") : "");
}
